"""Melody: three levels against a flat LSTM of as many parameters, the same look-back and training."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.cli._output import note
from edgekit.data.tunes import TuneDataset, Tunes, load_tunes, tune_dataset
from edgekit.tasks import melody
from edgekit.tasks.melody import Melody
from edgekit.tasks.melody.network import MelodyNet
from edgekit.training import Recipe
from edgekit.training.loader import batches_of
from edgekit.training.state import STATE_FILE
from edgekit.training.technique import make_techniques
from edgekit.training.trainer import Trainer
from runtime.bundle import write_atomic
from tests.benchmarks._melody_files import files_of
from tests.benchmarks._melody_tunes import draw, repetition

NAME = "melody"
COLUMNS = (
    "task", "seed", "network", "parameters", "nll", "note_nll", "rhythms_again", "bars_again", "train_s",
)  # fmt: skip
DATA = "test tunes"
_WIDTH = 104
_RECIPE = Recipe(
    epochs=8,
    batch_size=32,
    optimizer="adamw",
    lr=5e-3,
    weight_decay=0.01,
    warmup_epochs=1,
    label_smoothing=0.0,
    augment=False,
    device="cpu",
    eval_every=8,
    use={"clip": {}},
)
_N_TUNES, _BARS, _TEMPERATURE = 200, 12, 0.9


def rows(folder: Path, seeds: int, sizes: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield a row per seed and network, and one of the data; what ``folder`` has is not trained again.

    Args:
        sizes: of pictures; a tune has none.
    """
    yield {"task": NAME, "seed": None, "network": DATA, **_repetition(_tunes().test)}
    for seed in range(seeds):
        for kind in ("hierarchical", "flat"):
            place = folder / f"{NAME}-{kind}-{seed}"
            done = place / "row.json"
            if not done.exists():
                found = _fit(_task(kind, seed), place, seed, with_files=seed == 0)
                row = {"task": NAME, "seed": seed, "network": kind, **found}
                write_atomic(done, msgspec.json.encode(row))
                note(f"{NAME}: seed {seed}, {kind}: {row['nll']:.3f} nats a sixteenth")
            yield msgspec.json.decode(done.read_bytes())


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rows come to; ``gain`` is how much likelier a sixteenth is than by the flat net."""
    ours, flat = ([row for row in found if row["network"] == kind] for kind in ("hierarchical", "flat"))
    gains = [a["likelihood"] - b["likelihood"] for a, b in zip(ours, flat, strict=True)]
    (data,) = (row for row in found if row["network"] == DATA)
    files, flat_files = ours[0]["files"], flat[0]["files"]
    return {
        "score": _mean(ours, "likelihood"),
        "ablations": {"flat": _mean(flat, "likelihood")},
        "gain": statistics.mean(gains),
        "gain_std": statistics.stdev(gains) if len(gains) > 1 else None,
        "nll": _mean(ours, "nll"),
        "flat_nll": _mean(flat, "nll"),
        "note_nll_ratio": _mean(ours, "note_nll") / _mean(flat, "nll"),
        "note_nll_ratios": [a["note_nll"] / b["nll"] for a, b in zip(ours, flat, strict=True)],
        **{
            key: {"data": data[key], "hierarchical": _mean(ours, key), "flat": _mean(flat, key)}
            for key in ("rhythms_again", "bars_again")
        },
        "one_delegate": {engine: one["one_delegate"] for engine, one in files.items()},
        "latency_ratio": {e: files[e]["step_ms"] / flat_files[e]["step_ms"] for e in files},
        "mac_ratio": {e: files[e]["step_macs"] / flat_files[e]["step_macs"] for e in files},
        "int8_loss": {engine: one["int8_loss"] for engine, one in files.items()},
        "same_tune": {engine: one["same_tune"] for engine, one in files.items()},
        "pre_post_share": {engine: one["pre_post_share"] for engine, one in files.items()},
        "train_s": _mean(ours, "train_s"),
        "lines": len((Path(melody.__file__).parent / "task.py").read_text().splitlines()),
    }


@cache
def _tunes() -> Tunes:
    tunes = load_tunes("essen", "ryan")
    note(f"{NAME}: {tunes.described}")
    return tunes


@cache
def _dataset() -> TuneDataset:
    return tune_dataset("essen and ryan", _tunes())


def _task(kind: str, seed: int) -> Melody:
    """Return the hierarchical task, or the flat one whose network has most nearly as many parameters."""
    ours = Melody.of(_tunes().train, width=_WIDTH, seed=seed)
    if kind == "hierarchical":
        return ours
    wanted = _parameters(ours.build())
    widths = range(_WIDTH, 2 * _WIDTH, 2)
    return min((Melody(width=w) for w in widths), key=lambda one: abs(_parameters(one.build()) - wanted))


def _parameters(net: nn.Module) -> int:
    return sum(one.numel() for one in net.parameters() if one.requires_grad)


def _fit(task: Melody, place: Path, seed: int, *, with_files: bool) -> dict[str, Any]:
    recipe = replace(_RECIPE, seed=seed)
    torch.manual_seed(seed)
    net, dataset = task.build(), _dataset()
    trainer = Trainer(net, recipe, task=task, techniques=make_techniques(recipe, dataset))
    place.mkdir(parents=True, exist_ok=True)
    identity = {"width": task.width, **recipe.identity()}
    start = time.process_time()
    trainer.fit(dataset, place, identity=identity, resume=(place / STATE_FILE).exists(), progress=False)
    train_s = round(time.process_time() - start, 1)
    losses = _losses(task, net.eval(), dataset)
    nll = sum(losses.values())
    tunes = draw(net, _N_TUNES, _BARS, seed=seed, temperature=_TEMPERATURE)
    found = {
        "parameters": _parameters(net),
        "likelihood": float(np.exp(-nll)),
        "nll": nll,
        "note_nll": losses["note"],
        **_repetition(tunes),
        "train_s": train_s,
    }
    return found | ({"files": files_of(task, net, dataset, place)} if with_files else {})


def _losses(task: Melody, net: MelodyNet, dataset: TuneDataset) -> dict[str, float]:
    """Return each level's negative log-likelihood of the test, in nats per sixteenth."""
    sums: dict[str, float] = {}
    n_steps = 0
    with torch.inference_mode():
        for batch in batches_of(dataset.test, 64, torch.device("cpu")):
            steps = int((batch.targets >= 0).sum())
            n_steps += steps
            for name, loss in task.losses(net, batch).items():
                sums[name] = sums.get(name, 0.0) + loss.item() * steps
    return {name: value / n_steps for name, value in sums.items()}


def _repetition(tunes: Any) -> dict[str, float]:
    rhythms, bars = repetition(tunes, _BARS)
    return {"rhythms_again": rhythms, "bars_again": bars}


def _mean(found: list[dict[str, Any]], key: str) -> float:
    return statistics.mean(row[key] for row in found)
