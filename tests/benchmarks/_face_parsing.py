"""Face parsing through a tanh-warp against crops of several margins and the whole picture."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from edgekit.cli._output import note
from edgekit.data.faces import FACE_CLASSES, artists_portraits, faces_dataset
from edgekit.models import ModelSpec
from edgekit.tasks import FaceParsing, face_parsing
from edgekit.training import Checkpoint, Recipe, fit_spec, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.loader import batches_of
from edgekit.training.state import STATE_FILE
from runtime.bundle import write_atomic
from tests.benchmarks._face_parsing_files import files_of

NAME = "face-parsing"
COLUMNS = ("task", "size", "seed", "roi", "miou", "hair", "train_s")
SIZES = (64, 128)
ROIS = {
    "tanh": FaceParsing(),
    **{f"crop {margin}": FaceParsing(roi="crop", margin=margin) for margin in (1.35, 2.0, 3.0)},
    "whole": FaceParsing(roi="whole"),
}
_BACKBONE = ModelSpec("resnet18", width=0.25)
_RECIPE = Recipe(epochs=4, batch_size=16, lr=4e-3, optimizer="adamw", warmup_epochs=1, device="cpu")
_OF_FILES = (
    "one_delegate", "latency_ratio", "mac_ratio", "int8_loss", "pre_post_share", "file_miou", "graph_ms",
)  # fmt: skip
_FACES, _TEST_FACES, _PORTRAITS = 480, 140, 1440


def rows(folder: Path, seeds: int, sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield a row per size, way to see the picture and seed; what ``folder`` has is not trained again."""
    portraits = None
    for size in sizes:
        for roi, task in ROIS.items():
            dataset = None
            for seed in range(seeds):
                place = folder / f"{NAME}-{size}-{roi.replace(' ', '-')}-{seed}"
                done = place / "row.json"
                if not done.exists():
                    portraits = portraits or (
                        list(artists_portraits(_PORTRAITS, _FACES, training=True)),
                        list(artists_portraits(_TEST_FACES, _TEST_FACES, training=False)),
                    )
                    dataset = dataset or faces_dataset(roi, *portraits, task.pre, size)
                    row = {
                        "task": NAME,
                        "size": size,
                        "seed": seed,
                        "roi": roi,
                        **_fit(task, dataset, place, seed, with_files=roi == "tanh" and seed == 0),
                    }
                    write_atomic(done, msgspec.json.encode(row))
                    note(f"{NAME}: {size} pixels, {roi}, seed {seed}: mIoU {row['miou']:.3f}")
                yield msgspec.json.decode(done.read_bytes())


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rows of the smallest inputs come to, and the files of the largest.

    Gains are those of tanh over the crop with the best mIoU: ``gain`` in mIoU, ``hair_gain`` in hair's IoU.
    """
    size, file_size = (choose(row["size"] for row in found) for choose in (min, max))
    by = {roi: [row for row in found if row["roi"] == roi and row["size"] == size] for roi in ROIS}
    scores = {roi: statistics.mean(row["miou"] for row in of) for roi, of in by.items()}
    best = max((roi for roi in ROIS if ROIS[roi].roi == "crop"), key=lambda roi: scores[roi])
    pairs = list(zip(by["tanh"], by[best], strict=True))
    files = next(row["files"] for row in found if row["size"] == file_size and "files" in row)
    gains = [warped["miou"] - cut["miou"] for warped, cut in pairs]
    return {
        "score": scores["tanh"],
        "ablations": {roi: score for roi, score in scores.items() if roi != "tanh"},
        "gain": statistics.mean(gains),
        "gain_std": statistics.stdev(gains) if len(gains) > 1 else None,
        "hair_gain": statistics.mean(warped["hair"] - cut["hair"] for warped, cut in pairs),
        **{key: {engine: one[key] for engine, one in files.items()} for key in _OF_FILES},
        "train_s": statistics.mean(row["train_s"] for row in by["tanh"]),
        "lines": len(Path(face_parsing.__file__).read_text(encoding="utf-8").splitlines()),
    }


def _fit(task: FaceParsing, dataset: Any, place: Path, seed: int, *, with_files: bool) -> dict[str, Any]:
    """Train, and return the scores on the original pictures; a run that broke off goes on."""
    begun = (place / STATE_FILE).exists() or (place / CHECKPOINT_FILE).exists()
    recipe = replace(_RECIPE, seed=seed)
    start = time.process_time()
    checkpoint = train(
        fit_spec(_BACKBONE, dataset), dataset, recipe, place, task=task, resume=begun, progress=False
    )
    found = {**_scores(checkpoint, dataset), "train_s": round(time.process_time() - start, 1)}
    return found | ({"files": files_of(task, checkpoint, dataset, place)} if with_files else {})


def _scores(checkpoint: Checkpoint, dataset: Any) -> dict[str, float]:
    net, task, split = checkpoint.build(), checkpoint.make_task(), dataset.test
    with torch.inference_mode():
        scores = [net(batch.inputs).numpy() for batch in batches_of(split, 64, torch.device("cpu"))]
    ious = face_parsing.class_ious(task.decode([np.concatenate(scores)], split.labels), split.labels["truth"])
    return {"miou": float(ious.mean()), "hair": float(ious[FACE_CLASSES.index("hair")])}
