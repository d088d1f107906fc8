"""Commands that a campaign kills: small ones, and what of each one's work is finished at a moment."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from edgekit.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.measure.lab.state import read_states
from runtime.measure.records import RecordLog
from tests.runtime.tflite_builder import write_doubling_conv

_NET = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)).eval(), (torch.rand(1, 3, 8, 8),)
"""
_PLAN = """
targets: [local, "virtual:gs101"]
bundles: [double.tflite]
settings: {threads: [1]}
bench: {runs: 300, blocks: 4}
out: lab
"""
_TRAIN = ["--data", "folder", "--data-root", "images", "--width", "0.25", "--image-size", "8"]
_EPOCHS = 4


@dataclass(frozen=True)
class Job:
    """One command, run in a folder of its own.

    Attributes:
        words: of the command, after ``edgekit``.
        prepare: puts what the command needs into the folder.
        finished: what is finished in the folder, each thing in words. Opens what claims to be whole, and
            raises an ``EdgekitError`` where that is not so.
        is_complete: whether all that the command is to make is there.
        resumes: the command is run again with ``--resume``.
    """

    words: tuple[str, ...]
    prepare: Callable[[Path], None]
    finished: Callable[[Path], set[str]]
    is_complete: Callable[[Path], bool]
    resumes: bool = False


def write_images(folder: Path) -> None:
    """Write a few pictures of two classes."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 64), ("val", 32)):
        for label in ("dark", "light"):
            (folder / "images" / split / label).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 128, (8, 8, 3)).astype(np.uint8) + 100 * (label == "light")
                Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / split / label / f"{i}.png")


def _epochs(*folders: Path) -> set[str]:
    files = [folder / "metrics.jsonl" for folder in folders]
    lines = [
        (file.parent.name, line) for file in files if file.is_file() for line in file.read_text().splitlines()
    ]
    return {f"{name}: {line}" for name, line in lines}


def _checkpoint(folder: Path) -> set[str]:
    if not (folder / CHECKPOINT_FILE).exists():
        return set()
    load_checkpoint(folder).build()
    return {f"checkpoint {folder.name}"}


def _train() -> Job:
    def finished(work: Path) -> set[str]:
        return _epochs(work / "run") | _checkpoint(work / "run")

    return Job(
        ("train", "resnet20", *_TRAIN, "--epochs", str(_EPOCHS), "-o", "run"),
        write_images,
        finished,
        lambda work: len(finished(work)) == _EPOCHS + 1,
        resumes=True,
    )


def _prune(trained: Path) -> Job:
    def prepare(work: Path) -> None:
        write_images(work)
        shutil.copytree(trained, work / "trained")

    def finished(work: Path) -> set[str]:
        return _epochs(work / "out/method", work / "out/finetune") | _checkpoint(work / "out")

    words = ("--rate", "0.5", "--round-to", "1", "--epochs", "2", "--finetune-epochs", "2", "-o", "out")
    return Job(
        ("prune", "trained", "--data-root", "images", *words),
        prepare,
        finished,
        lambda work: len(finished(work)) == 2 + 2 + 1 and bool(_checkpoint(work / "out")),
        resumes=True,
    )


def write_bundle(path: Path, label: str) -> None:
    """Write a bundle of one small model, whose only class is called ``label``."""
    model = write_doubling_conv(path.with_suffix(".tflite"))
    spec = TensorSpec("x", "float32", (1, 8, 8, 4))
    with new_bundle(path, overwrite=True) as writer:
        file = writer.add("model.tflite", model.read_bytes(), "model")
        labels = writer.add("labels.txt", f"{label}\n".encode(), "labels")
        variants = (Variant("litert-fp32", "litert", "fp32", file),)
        writer.finish(
            Manifest(
                path.stem,
                "2026-01-01T00:00:00Z",
                {"forward": Graph((spec,), (spec,))},
                variants,
                labels=labels,
            )
        )
    model.unlink()


def _export(engine: str) -> Job:
    def prepare(work: Path) -> None:
        (work / "net.py").write_text(_NET)
        write_bundle(work / "net.edgekit", "old")

    def is_complete(work: Path) -> bool:
        return Bundle.open(work / "net.edgekit").labels() is None

    def finished(work: Path) -> set[str]:
        return {"a bundle"} | ({"the new bundle"} if is_complete(work) else set())

    words = ("export", "net.py:make", "--engine", engine, "--overwrite", "-o", "net.edgekit")
    return Job(words, prepare, finished, is_complete)


def _lab() -> Job:
    def prepare(work: Path) -> None:
        write_doubling_conv(work / "double.tflite")
        (work / "plan.yaml").write_text(_PLAN)

    def is_complete(work: Path) -> bool:
        states = read_states(work / "lab")
        blocks = [record.block for record in RecordLog(work / "lab/records/local.jsonl")]
        return all(one.state == "done" for one in states) and sorted(blocks) == [0, 1, 2, 3]

    return Job(("lab", "run", "plan.yaml"), prepare, lambda work: _records(work / "lab/records"), is_complete)


def _records(folder: Path) -> set[str]:
    return {
        msgspec.json.encode(record).decode() for log in folder.glob("*.jsonl") for record in RecordLog(log)
    }


def _emulate() -> Job:
    def prepare(work: Path) -> None:
        write_doubling_conv(work / "double.tflite", side=32, channels=16)

    def is_complete(work: Path) -> bool:
        return len({(r.setting, r.block) for r in RecordLog(work / "records/log.jsonl")}) == 4

    bench = "edgekit bench double.tflite --runs 200 --warmup 0 --blocks 2 --retries 0 --meter none"
    settings = "--freq-khz 1803000 --freq-khz 1598000 -o records/log.jsonl"
    return Job(
        ("emulate", "gs101", "--", *bench.split(), *settings.split()),
        prepare,
        lambda work: _records(work / "records"),
        is_complete,
    )


def _push(home: Path) -> Job:
    """Push a bundle of which an older one may be on the device already."""

    def finished(work: Path) -> set[str]:
        folder = home / "bundles/small.edgekit"
        whole = {f"runtime {p.parent.name}" for p in home.glob("venvs/*/complete") if _answers(home)}
        if not folder.exists():
            return whole
        Bundle.open(folder)
        return whole | {"a bundle"}

    def is_complete(work: Path) -> bool:
        labels = (work / "small.edgekit/labels.txt").read_text().splitlines()
        return _answers(home) and Bundle.open(home / "bundles/small.edgekit").labels() == labels

    return Job(
        ("push", "small.edgekit", "--target", "ssh:phone", "--offline"),
        lambda work: write_bundle(work / "small.edgekit", f"made at {time.time_ns()}"),
        finished,
        is_complete,
    )


def _answers(home: Path) -> bool:
    program = home / "bin/edgekit"
    return (
        program.exists()
        and subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    )


def make_jobs(trained: Path, home: Path) -> dict[str, Job]:
    """Return the jobs by name.

    Args:
        trained: a checkpoint to prune.
        home: edgekit's folder on the device that is pushed to.
    """
    return {
        "train": _train(),
        "prune": _prune(trained),
        "export litert": _export("litert"),
        "export executorch": _export("executorch"),
        "push": _push(home),
        "lab": _lab(),
        "emulate": _emulate(),
    }
