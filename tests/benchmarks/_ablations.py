"""The ablations: each yields rows of the table."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgekit.cli._output import note
from edgekit.models import count_macs, count_parameters
from edgekit.nn import SelectiveKernel, UOut
from edgekit.training import Checkpoint, Trainer, find_shifted_norms, variance_ratios
from edgekit.training.techniques.distillation import divergence
from tests.benchmarks._ablation import (
    Bench,
    Change,
    enlarge,
    log_of,
    mean_entropy,
    noise_block,
    row,
    salt_and_pepper,
    weak_filters,
)

Rows = Iterator[dict[str, Any]]
_TEACHER_IMAGES = 300
_TEMPERATURE = 4.0
_ROUTE = 4
_SHORT = 2  # epochs


def random_erasing(bench: Bench) -> Rows:
    pairs = list(bench.pairs("random-erasing", {"random-erasing": {}}))
    hidden = [tuple(bench.accuracy(c, noise_block) for c in pair) for pair in pairs]
    clean = [tuple(bench.accuracy(c) for c in pair) for pair in pairs]
    name = "Random Erasing"
    yield row(name, "top-1 behind 4x4 noise", hidden, ">= +10", lambda a, b: b - a >= 10, effect=True)
    yield row(name, "top-1", clean, ">= -2", lambda a, b: b - a >= -2)


def patch_shuffle(bench: Bench) -> Rows:
    asked = (">= +5", lambda a, b: b - a >= 5), ("within 1", lambda a, b: abs(b - a) <= 1)
    for name, options, limits in (
        ("PatchShuffle", {}, asked),
        ("PatchShuffle of maps", {"probability": 0.0, "maps": 0.05}, ((), ())),
        ("PatchShuffle of both", {"maps": 0.05}, ((), ())),
    ):
        pairs = list(bench.pairs(name.replace(" ", "-"), {"patch-shuffle": options}))
        noisy = [tuple(bench.accuracy(c, salt_and_pepper) for c in pair) for pair in pairs]
        clean = [tuple(bench.accuracy(c) for c in pair) for pair in pairs]
        yield row(name, "top-1, 20 % salt, pepper", noisy, *limits[0], effect=True)
        yield row(name, "top-1", clean, *limits[1])


def erase_relu(bench: Bench) -> Rows:
    """The loss of the second of all epochs, and that of a training of two, as the rate falls faster then."""
    for epochs, figure in ((None, "loss of the second epoch"), (_SHORT, "loss after two epochs")):
        short = "" if epochs is None else f"-{epochs}"
        pairs = [
            (
                bench.fit(f"plain{short}", seed, epochs=epochs),
                bench.fit(f"erased{short}", seed, epochs=epochs, erase_relu=True),
            )
            for seed in range(bench.seeds)
        ]
        losses = [tuple(log_of(checkpoint)[1]["train_loss"] for checkpoint in pair) for pair in pairs]
        asked = ("lower", lambda a, b: b < a) if epochs else ()
        yield row("EraseReLU", figure, losses, *asked, effect=True)
    counts = [sum(isinstance(m, nn.ReLU) for m in c.build().modules()) for c in pairs[0]]
    yield row("EraseReLU", "ReLUs", [tuple(counts)], "-9: one per block", lambda a, b: a - b == 9)


def teachers(bench: Bench) -> Rows:
    """Distillation by one teacher and by its route; nets side by side, alone and taught."""
    teacher = bench.fit("teacher", 0, {"route": {"anchors": _ROUTE}}, width=1.0)
    inputs = bench.test_inputs(count=_TEACHER_IMAGES)
    with torch.inference_mode():
        wanted = teacher.build()(inputs)

    def distance(checkpoint: Checkpoint) -> float:
        with torch.inference_mode():
            return divergence(wanted, checkpoint.build()(inputs), _TEMPERATURE).item()

    given = {"teacher": str(teacher.path)}
    uses = {
        "thin": {},
        "KD": {"kd": given},
        "RCO": {"rco": given},
        "RCO greedy": {"rco": {**given, "greedy": 0.8}},
        "grafting": {"grafting": {}},
        "DGD": {"grafting": {}, "kd": given},
    }
    found = {
        name: [bench.fit(name.replace(" ", "-"), seed, use, width=0.25) for seed in range(bench.seeds)]
        for name, use in uses.items()
    }
    taught = {"top-1": bench.accuracy, "KL to the teacher": distance}
    mixed = {"top-1": bench.accuracy, "entropy": mean_entropy, "weak filters, %": weak_filters}
    controls = {"KD": "thin", "RCO": "KD", "RCO greedy": "KD", "grafting": "thin", "DGD": "KD"}
    for name, control in controls.items():
        for figure, measure in {**(mixed if name in ("grafting", "DGD") else taught)}.items():
            values = [tuple(map(measure, pair)) for pair in zip(found[control], found[name], strict=True)]
            asked = (
                ("<= 0.75 x", lambda a, b: b <= 0.75 * a)
                if (name, figure) == ("KD", "KL to the teacher")
                else ()
            )
            yield row(name if control == "thin" else f"{name} beside KD", figure, values, *asked, effect=True)


def blocks(bench: Bench) -> Rows:
    for block in ("sk", "sge"):
        pairs = list(bench.pairs(block, block=block))
        yield row(block.upper(), "top-1", [tuple(map(bench.accuracy, pair)) for pair in pairs])
        plain, own = (checkpoint.build() for checkpoint in pairs[0])
        shape = tuple(bench.test_inputs(count=1).shape[1:])
        yield row(
            block.upper(), "million MACs", [(count_macs(plain, shape) / 1e6, count_macs(own, shape) / 1e6)]
        )
        yield row(block.upper(), "parameters", [(count_parameters(plain), count_parameters(own))])
        if block == "sk":
            shares = [
                tuple(_wide_share(bench, own, change) for change in (None, enlarge)) for _, own in pairs
            ]
            yield row("SK", "wide branch's share, enlarged", shares)


def variance_shift(bench: Bench) -> Rows:
    values = []
    for seed in range(bench.seeds):
        ratios = []
        for noise in (nn.Dropout(0.5), UOut()):
            torch.manual_seed(seed)
            trainer = Trainer(_Noisy(noise), replace(bench.recipe, seed=seed, augment=False))
            with tempfile.TemporaryDirectory() as folder:
                trainer.fit(bench.dataset, Path(folder), identity={}, progress=False)
            ratios.append(variance_ratios(trainer.model, bench.dataset.train)["5"])
        values.append(tuple(ratios))
    asked = "<= .9; .95 to 1.05"
    yield row(
        "dropout; UOut", "variance tested / kept", values, asked, lambda a, b: a <= 0.9 and 0.95 <= b <= 1.05
    )
    named = find_shifted_norms(_Noisy(nn.Dropout(0.5)), bench.test_inputs(count=1))
    note(f"the lint names {', '.join(f'dropout {name} before {norms}' for name, norms in named.items())}")


ABLATIONS = (random_erasing, patch_shuffle, variance_shift, erase_relu, teachers, blocks)


class _Noisy(nn.Sequential):
    """Batch norm behind a noise."""

    def __init__(self, noise: nn.Module):
        super().__init__(
            *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), noise),
            *(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)),
        )


def _wide_share(bench: Bench, checkpoint: Checkpoint, change: Change | None) -> float:
    """Return the mean share of the second, dilated branch over all selective kernels."""
    shares: list[float] = []
    model = checkpoint.build()
    for unit in model.modules():
        if isinstance(unit, SelectiveKernel):
            unit.heads[1].register_forward_hook(_Keep(unit, shares))
    with torch.inference_mode():
        model(bench.test_inputs(change))
    return statistics.mean(shares)


class _Keep:
    """A hook of a selective kernel's second head, which runs behind the first one."""

    def __init__(self, unit: SelectiveKernel, shares: list[float]):
        self.unit, self.shares = unit, shares

    def __call__(self, _: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        first = self.unit.heads[0](inputs[0])
        self.shares.append(torch.sigmoid(output - first).mean().item())
