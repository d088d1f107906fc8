"""Face parsing through a tanh-warp against crops of several margins and the whole picture."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from PIL import Image, ImageDraw

from edgekit.cli._output import note
from edgekit.data.faces import (
    FACE_CLASSES,
    FACE_COLOURS,
    PICTURE_SIDE,
    FaceDataset,
    artists_portraits,
    faces_dataset,
)
from edgekit.models import ModelSpec
from edgekit.tasks import FaceParsing, face_parsing
from edgekit.training import Checkpoint, Recipe, fit_spec, load_checkpoint, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.loader import batches_of
from edgekit.training.state import STATE_FILE
from runtime.bundle import write_atomic
from runtime.processing.results.mask import MaskResult
from tests.benchmarks._face_parsing_files import files_of

NAME = "face-parsing"
COLUMNS = ("task", "size", "seed", "roi", "width", "miou", "hair", "train_s")
SIZES = (64, 128)
ROIS = {
    "tanh": FaceParsing(),
    **{f"crop {margin}": FaceParsing(roi="crop", margin=margin) for margin in (1.35, 2.0, 3.0)},
    "whole": FaceParsing(roi="whole"),
}
_WIDTH = 0.25  # of the backbone, ResNet-18, of what is compared
# Of what is exported: as large as a phone parses with. Beside a smaller one a frame is mostly its warp here.
_FILES, _FILES_WIDTH = "tanh, exported", 0.75
_RECIPE = Recipe(epochs=4, batch_size=16, lr=4e-3, optimizer="adamw", warmup_epochs=1, device="cpu")
_OF_FILES = (
    "one_delegate", "latency_ratio", "mac_ratio", "int8_loss", "pre_post_share", "file_miou", "graph_ms",
)  # fmt: skip
_FACES, _TEST_FACES, _PORTRAITS = 480, 140, 1440
_SHOWN = (3, 58, 101)  # of the test faces: a large one, much hair, a small one
Seen = Callable[[FaceParsing, int], FaceDataset]  # portraits as a task sees them, at a size


def rows(folder: Path, seeds: int, sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield a row per size, way to see the picture and seed, and one of exported files.

    What ``folder`` has is not trained again.
    """

    @functools.cache
    def portraits() -> tuple[list[Any], list[Any]]:
        return (
            list(artists_portraits(_PORTRAITS, _FACES, training=True)),
            list(artists_portraits(_TEST_FACES, _TEST_FACES, training=False)),
        )

    @functools.lru_cache(maxsize=1)
    def seen(task: FaceParsing, size: int) -> FaceDataset:
        return faces_dataset(NAME, *portraits(), task.pre, size)

    for size in sizes:
        for roi, task in ROIS.items():
            for seed in range(seeds):
                yield _row(folder, seen, roi, task, size, seed, _WIDTH)
    yield _row(folder, seen, _FILES, ROIS["tanh"], max(sizes), 0, _FILES_WIDTH)


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rows of the smallest inputs come to, and the files.

    Gains are those of tanh over the crop with the best mIoU: ``gain`` in mIoU, ``hair_gain`` in hair's IoU.
    """
    size = min(row["size"] for row in found)
    by = {roi: [row for row in found if row["roi"] == roi and row["size"] == size] for roi in ROIS}
    scores = {roi: statistics.mean(row["miou"] for row in of) for roi, of in by.items()}
    best = max((roi for roi in ROIS if ROIS[roi].roi == "crop"), key=lambda roi: scores[roi])
    pairs = list(zip(by["tanh"], by[best], strict=True))
    files = next(row["files"] for row in found if "files" in row)
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


def picture(folder: Path, size: int) -> Image.Image:
    """Return a few test faces in rows: original and box, truth, and what was found through a warp and a crop.

    Args:
        folder: of ``rows``, which has trained with this size.
    """
    faces = artists_portraits(_TEST_FACES, _TEST_FACES, training=False)
    portraits = [faces[number] for number in _SHOWN]
    masks = [[one.labels for one in portraits]]
    for roi in ("tanh", "crop 2.0"):
        checkpoint = load_checkpoint(folder / _place(size, roi, 0))
        dataset = faces_dataset(NAME, portraits[:1], portraits, ROIS[roi].pre, size)
        masks.append(_labels(checkpoint, dataset))
    sheet = Image.new("RGB", (PICTURE_SIDE * (1 + len(masks)), PICTURE_SIDE * len(portraits)))
    for row, portrait in enumerate(portraits):
        original = Image.fromarray(portrait.picture)
        found = [MaskResult(each[row], FACE_CLASSES, FACE_COLOURS, 0).draw(original) for each in masks]
        ImageDraw.Draw(original).rectangle(tuple(map(float, portrait.box)), outline="yellow", width=2)
        for column, image in enumerate([original, *found]):
            sheet.paste(image, (column * PICTURE_SIDE, row * PICTURE_SIDE))
    return sheet


def _place(size: int, roi: str, seed: int) -> str:
    return f"{NAME}-{size}-{roi.replace(' ', '-')}-{seed}"


def _row(
    folder: Path, seen: Seen, roi: str, task: FaceParsing, size: int, seed: int, width: float
) -> dict[str, Any]:
    """Return what is kept of a run, else train, a run that broke off too, and score on original pictures."""
    place = folder / _place(size, roi, seed)
    done = place / "row.json"
    if not done.exists():
        dataset = seen(task, size)
        begun = (place / STATE_FILE).exists() or (place / CHECKPOINT_FILE).exists()
        spec, start = fit_spec(ModelSpec("resnet18", width=width), dataset), time.process_time()
        recipe = replace(_RECIPE, seed=seed)
        checkpoint = train(spec, dataset, recipe, place, task=task, resume=begun, progress=False)
        row = {"task": NAME, "size": size, "seed": seed, "roi": roi, "width": width} | {
            **_scores(checkpoint, dataset),
            "train_s": round(time.process_time() - start, 1),
        }
        if roi == _FILES:
            row["files"] = files_of(task, checkpoint, dataset, place)
        write_atomic(done, msgspec.json.encode(row))
        note(f"{NAME}: {size} pixels, {roi}, seed {seed}: mIoU {row['miou']:.3f}")
    kept: dict[str, Any] = msgspec.json.decode(done.read_bytes())
    return kept


def _scores(checkpoint: Checkpoint, dataset: Any) -> dict[str, float]:
    ious = face_parsing.class_ious(_labels(checkpoint, dataset), dataset.test.labels["truth"])
    return {"miou": float(ious.mean()), "hair": float(ious[FACE_CLASSES.index("hair")])}


def _labels(checkpoint: Checkpoint, dataset: Any) -> list[np.ndarray]:
    """Return the class of each pixel of the test pictures."""
    net, split = checkpoint.build(), dataset.test
    with torch.inference_mode():
        scores = [net(batch.inputs).numpy() for batch in batches_of(split, 64, torch.device("cpu"))]
    return checkpoint.make_task().decode([np.concatenate(scores)], split.labels)
