"""How true an emulated phone is to its profile: ``python -m tests.benchmarks.emulation``.

A real model (MobileNetV2 x0.5 at 224x224, LiteRT, one thread) runs on each SoC, at every clock with a
capacity of at least 1/8 of the fastest. Each block stands beside one at full speed, in random order; its
latency factor is the median over rounds of (its median / that one's), to compare with what the profile
says: 1024 / capacity. Energy is what the ordinary meter reads over all blocks of a clock, to compare with
the sum by hand: the table's power while frames ran, idle power between them.

Slower clocks are left out, and named: what each sleep loses weighs most there, and near a twentieth the
host's scheduler keeps the core for others.

Needs Linux, root and a C compiler, and a machine that does nothing else; ``--realtime`` runs the frames as
SCHED_FIFO, so that other programs disturb them less. ``--every 4`` is a quick look, ``--soc all`` takes every
profile; a clock takes about four seconds in each round.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.cli._output import note
from edgekit.models import build_model
from runtime.device.soc import list_profiles, load_profile
from tests.benchmarks._emulated import rows_inside
from tests.benchmarks._table import show, write_report

SOCS = ("exynos5422", "gs101")
LEAST_CAPACITY = 1024 / 8
BLOCK_S = 0.5
MOST_RUNS = 1000
_COLUMNS = {
    "soc": "SoC", "cluster": "cluster", "freq_khz": "kHz", "expected": "factor of the profile",
    "factor": "measured", "latency_error_pct": "off %", "by_hand_mj": "mJ by hand",
    "energy_mj": "mJ of the meter", "energy_error_pct": "off %",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.emulation", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", action="append", help="repeatable, or all; default: " + ", ".join(SOCS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="only every Nth clock of a cluster")
    parser.add_argument("--realtime", action="store_true", help="frames before all other programs")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    parser.add_argument("--model", type=Path, help="a .tflite file of your own")
    options = parser.parse_args(arguments)
    if options.inside:
        if options.realtime:  # below the program that slows the core down; the worker inherits it
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        rows = measure(options.model, options.rounds, options.every)
        options.inside.write_bytes(msgspec.json.encode(rows))
        return
    rows, summary = [], {}
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or build(Path(folder) / "model.tflite")
        for soc in list_profiles() if options.soc == ["all"] else options.soc or SOCS:
            found = run_inside(soc, model, Path(folder) / "rows.json", options)
            rows += found
            summary[soc] = summarise(found)
            show(_COLUMNS, found)
    write_report(options.json, "emulation", rows, summary)


def build(path: Path) -> Path:
    """Write the model and return its path."""
    import torch

    from edgekit.export import EXPORT_BACKENDS, lower
    from edgekit.models import ModelSpec

    torch.manual_seed(0)
    net = build_model(ModelSpec("mobilenet_v2", width=0.5, image_size=224)).eval()
    path.write_bytes(EXPORT_BACKENDS.get("litert")(lower(net), (torch.randn(1, 3, 224, 224),)).data)
    return path


def run_inside(soc: str, model: Path, out: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run this very program on an emulated ``soc`` and return its rows."""
    profile = load_profile(soc)
    for cluster in profile.clusters:
        left_out = [o for o in cluster.opps if profile.capacity(cluster, o.freq_khz) < LEAST_CAPACITY]
        if left_out:
            ends = f"{left_out[0].freq_khz / 1e3:g} to {left_out[-1].freq_khz / 1e3:g} MHz"
            note(f"{soc}: {cluster.name} at {ends} is left out: below 1/8 of the fastest clock's capacity")
    note(f"{soc}: {options.rounds} rounds")
    given = [f"--model={model}", f"--rounds={options.rounds}", f"--every={options.every}"]
    given += ["--realtime"] if options.realtime else []
    return rows_inside(soc, "emulation", out, given)


def measure(model: Path, rounds: int, every: int) -> list[dict[str, Any]]:
    """Return one row per clock of the machine this runs on."""
    from runtime.device.setting import Setting
    from runtime.device.soc import rail_of
    from runtime.engines.model_file import open_bundle_or_model
    from runtime.targets import choose_settings, open_target

    target = open_target("local")
    assert target.provenance == "emulated"
    bundle = open_bundle_or_model(model)
    profile = target.profile
    fastest = max(profile.clusters, key=profile.capacity)
    reference = Setting(fastest.name, fastest.max_khz)

    def block(setting: Setting) -> dict[str, float]:
        with target.session(bundle, bundle.manifest.variant(), setting) as session:
            trial = session.sample(warmup=5, runs=5)
            runs = max(10, round(BLOCK_S * 1e3 / min(trial.samples_ms)))
            samples = session.sample(warmup=2, runs=runs)
            while samples.energy is not None and samples.energy.energy_mj is None and runs < MOST_RUNS:
                runs *= 2  # the trial ran slower than the rest: too short for the meter
                samples = session.sample(warmup=2, runs=runs)
        reading = samples.energy
        assert reading is not None and reading.energy_mj is not None, reading  # noqa: PT018
        busy_s = sum(samples.samples_ms) / 1e3
        rail = rail_of(profile.cluster(setting.cluster))
        assert setting.freq_khz is not None
        busy_mw, idle_mw = (rail.mean_mw(setting.freq_khz, cores) for cores in (1.0, 0.0))
        idle_s = max(0.0, reading.duration_s - busy_s)
        return {
            "latency_ms": float(np.median(samples.samples_ms)),
            "energy_mj": reading.rails_mj[setting.cluster],
            "by_hand_mj": busy_mw * busy_s + idle_mw * idle_s,
        }

    jobs = [
        setting
        for setting in choose_settings(target, every=every)
        if profile.capacity(setting.cluster, setting.freq_khz) >= LEAST_CAPACITY
    ]
    found: dict[Setting, list[dict[str, float]]] = {setting: [] for setting in jobs}
    for number in range(rounds):
        random.Random(number).shuffle(jobs)
        for setting in jobs:
            pair = [reference, setting]
            random.Random(f"{number}/{setting}").shuffle(pair)
            blocks = {each: block(each) for each in pair}
            full_ms = (
                blocks[reference]["latency_ms"] if setting != reference else block(reference)["latency_ms"]
            )
            found[setting].append(
                blocks[setting] | {"factor": blocks[setting]["latency_ms"] / full_ms, "full_ms": full_ms}
            )
        note(f"round {number + 1} of {rounds}")
    return [
        _row(setting, blocks, profile.capacity(setting.cluster, setting.freq_khz))
        for setting, blocks in found.items()
    ]


def _row(setting: Any, blocks: Sequence[dict[str, float]], capacity: float) -> dict[str, Any]:
    expected, factor = 1024 / capacity, float(np.median([block["factor"] for block in blocks]))
    energy_mj, by_hand_mj = (sum(block[key] for block in blocks) for key in ("energy_mj", "by_hand_mj"))
    return {
        "cluster": setting.cluster,
        "freq_khz": setting.freq_khz,
        "capacity": capacity,
        "full_ms": float(np.median([block["full_ms"] for block in blocks])),
        "latency_ms": float(np.median([block["latency_ms"] for block in blocks])),
        "expected": expected,
        "factor": factor,
        "latency_error_pct": 100 * (factor / expected - 1),
        "by_hand_mj": by_hand_mj,
        "energy_mj": energy_mj,
        "energy_error_pct": 100 * (energy_mj / by_hand_mj - 1),
    }


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the largest and the mean error of one SoC, and how many clocks are within 10 %."""
    latency, energy = (np.abs([row[f"{what}_error_pct"] for row in rows]) for what in ("latency", "energy"))
    return {
        "clocks": len(rows),
        "latency_error_max_pct": float(latency.max()),
        "latency_error_mean_pct": float(latency.mean()),
        "latency_within_10pct": int((latency <= 10).sum()),
        "energy_error_max_pct": float(energy.max()),
        "energy_error_mean_pct": float(energy.mean()),
    }


if __name__ == "__main__":
    main()
