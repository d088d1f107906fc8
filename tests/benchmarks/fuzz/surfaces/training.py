"""What training wrote: checkpoints with channel plans and recipes, states of runs, tables of costs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import torch

from edgekit.models import ModelSpec, build_model
from edgekit.pruning.start import recipe_of
from edgekit.search.placement.block import Block
from edgekit.search.placement.cost_table import BlockCost, CostTable, load_costs
from edgekit.training.checkpoint import CHECKPOINT_FILE, WEIGHTS_FILE, load_checkpoint, save_checkpoint
from edgekit.training.optimizer import restore_optimizer
from edgekit.training.recipe import Recipe
from edgekit.training.state import STATE_FILE, load_state, save_state
from edgekit.training.weights import load_weights
from runtime.bundle import ImageSpec
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface

_SPEC = ModelSpec("resnet20", num_classes=2, width=0.25, image_size=8, in_channels=1)
_IMAGE = ImageSpec(8, 8, (0.5,), (0.5,), channels=1)


@surface("checkpoint", quick=20, share=2)
def checkpoint(folder: Path) -> Prepared:
    """A checkpoint and one that was pruned: the document and the weights, built again."""
    from edgekit.models.surgery.removal import physically_remove

    model = build_model(_SPEC).eval()
    names = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Conv2d)]
    plan = {names[1]: (0, 1)}
    smaller = physically_remove(model, plan, torch.zeros(1, 1, 8, 8))
    recipe = msgspec.to_builtins(Recipe(epochs=1))
    more = {
        "dataset": "toy",
        "image": _IMAGE,
        "labels": ("a", "b"),
        "recipe": recipe,
        "metrics": {"top1": 0.5},
    }
    save_checkpoint(folder / "run", model, spec=_SPEC, **more)
    save_checkpoint(folder / "pruned", smaller, spec=_SPEC, plan=plan, pruning={"rate": 0.3}, **more)
    samples = tuple(
        Sample(f"{run}/{name}", (folder / run / name).read_bytes(), form)
        for run in ("run", "pruned", "pruned")
        for name, form in ((CHECKPOINT_FILE, "json"), (WEIGHTS_FILE, "safetensors"))
    )

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        document = path.with_name(CHECKPOINT_FILE)
        before = document.read_bytes()
        path.write_bytes(data)
        if path.name == WEIGHTS_FILE:  # signed, as whoever makes a checkpoint can
            signed = msgspec.json.decode(before) | {"weights_sha256": hashlib.sha256(data).hexdigest()}
            document.write_bytes(msgspec.json.encode(signed))
        try:
            found = load_checkpoint(path.parent)
            msgspec.json.encode(found.to_dict())
            recipe_of(found)
            found.build()
        finally:
            path.write_bytes(sample.data)
            document.write_bytes(before)

    return Prepared(samples, read)


@surface("training-state", quick=60, share=2)
def training_state(folder: Path) -> Prepared:
    """The state of an interrupted training, put back into a model and its optimizer."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    save_state(folder, 1, {"recipe": {"epochs": 3}}, [{"loss": 0.5}], model, {"": optimizer})
    path = folder / STATE_FILE
    sample = Sample(STATE_FILE, path.read_bytes(), "safetensors")

    def read(sample: Sample, data: bytes) -> None:
        path.write_bytes(data)
        state = load_state(folder)
        load_weights(model, state.model, str(path))
        restore_optimizer(optimizer, state.of_player(""))

    return Prepared((sample,), read)


@surface("costs", quick=100, share=2)
def costs(folder: Path) -> Prepared:
    """The table of what dynamic blocks cost."""
    blocks = (BlockCost(Block("conv", "4 kernels", 8, 16, 7, 7, 1, True), 0.01),)
    path = folder / "costs.json"
    CostTable("litert", "a board", {"torch": "2"}, blocks, {"net": 1.0}).save(path)
    sample = Sample("costs.json", path.read_bytes(), "json")

    def read(sample: Sample, data: bytes) -> None:
        path.write_bytes(data)
        load_costs(path).is_of_here()

    return Prepared((sample,), read)
