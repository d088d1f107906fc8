"""What int8 saves and costs: ``python -m tests.benchmarks.quantization [--json PATH]``.

Size and latency of MobileNetV2 and EfficientNet-Lite0 (224x224, batch 1, one thread) in
``static_wi8_ai8`` and ``dynamic_wi8_afp32`` beside fp32, on both engines: all files of an engine run
in one interleaved series, each in a process of its own; a ratio is the median over rounds of latency
/ fp32's in the same round. SQNR is against eager on the photographs whose crops calibrated: an upper bound.

``--checkpoint FLOAT --qat-checkpoint AWARE`` add the accuracy of a network trained by ``edgekit
train`` and of the same after ``--qat``: fp32, and int8 measured on the exported file.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit.cli._output import note
from edgekit.export import EXPORT_BACKENDS, QuantizeOptions, export_bundle, find_origin
from edgekit.export.quantize import find_calibration, find_validation
from runtime.bundle import PRECISIONS
from tests.benchmarks._table import show, write_report
from tests.benchmarks.export_latency import time_side_by_side

MODELS = ("mobilenet_v2", "efficientnet_lite0")
_SIZES = {
    "model": "model",
    "engine": "engine",
    "precision": "precision",
    "size_mb": "MB",
    "sqnr_db": "SQNR dB",
    "latency_ms": "ms",
    "ratio": "latency / fp32",
}
_ACCURACIES = {"checkpoint": "checkpoint", "engine": "engine", "accuracy_fp32": "fp32", "accuracy": "int8"}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.quantization", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--model", action="append", help="instead of both; repeatable")
    parser.add_argument("--engine", action="append", help="instead of both; repeatable")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--qat-checkpoint", type=Path)
    options = parser.parse_args(arguments)
    engines = options.engine or list(EXPORT_BACKENDS)
    sizes, summary = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for model in options.model or MODELS:
            found = measure(model, engines, Path(folder) / f"{model}.edgekit", options.rounds)
            show(_SIZES, found)
            sizes += found
        for row in sizes:
            if row["precision"] != "fp32":
                key = f"{row['model']}_{row['engine']}_{row['precision']}"
                summary[key] = {name: row[name] for name in ("latency_ms", "ratio", "size_mb")}
        accuracies = []
        for kind, path in (("ptq", options.checkpoint), ("qat", options.qat_checkpoint)):
            if path is not None:
                found = accuracy(path, engines, Path(folder) / f"{kind}.edgekit")
                accuracies += found
                for row in found:
                    summary[f"{kind}_{row['engine']}_drop"] = row["accuracy_fp32"] - row["accuracy"]
        if accuracies:
            show(_ACCURACIES, accuracies)
    write_report(options.json, "quantization", [*sizes, *accuracies], summary)


def measure(model: str, engines: Sequence[str], out: Path, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each variant of a model of the zoo."""
    origin = find_origin(model)
    quantize = QuantizeOptions(calibration=find_calibration(origin))
    bundle = export_bundle(
        origin, out, engines=engines, precisions=PRECISIONS, quantize=quantize, progress=note
    )
    rows = []
    for engine in engines:
        variants = [variant for variant in bundle.manifest.variants if variant.engine == engine]
        files = {v.precision: (bundle.file(v.path), v.parity.max_abs) for v in variants}
        timed = time_side_by_side(engine, files, rounds)
        for variant in variants:
            figures = timed[variant.precision]
            rows.append(
                {
                    "model": model,
                    "engine": engine,
                    "precision": variant.precision,
                    "size_mb": bundle.file(variant.path).stat().st_size / 1e6,
                    "sqnr_db": variant.parity.sqnr_db,
                    "latency_ms": figures["latency_ms"],
                    "ratio": figures["ratio"],
                }
            )
    return rows


def accuracy(checkpoint: Path, engines: Sequence[str], out: Path) -> list[dict[str, Any]]:
    """Return a row per engine: accuracy of the checkpoint and of its int8 file on the test images."""
    origin = find_origin(str(checkpoint))
    choices = QuantizeOptions(calibration=find_calibration(origin), validation=find_validation(origin))
    bundle = export_bundle(
        origin, out, engines=engines, precisions=["static_wi8_ai8"], quantize=choices, progress=note
    )
    return [
        {
            "checkpoint": checkpoint.name,
            "engine": variant.engine,
            "accuracy_fp32": variant.quantization.accuracy_fp32,
            "accuracy": variant.quantization.accuracy,
        }
        for variant in bundle.manifest.variants
    ]


if __name__ == "__main__":
    main()
