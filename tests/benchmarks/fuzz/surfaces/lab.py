"""Plans of a lab and the note of where its jobs stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from runtime.measure.lab.state import JobState
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface
from tests.places import DATA

_PLAN = b"""targets: ["virtual:gs101", {name: local, settings: {threads: [1, 2]}, meter: none}]
bundles: [nano.edgekit]
engines: [litert]
variants: []
settings: {threads: [1], clusters: [big], freqs_khz: [], every: 4}
bench:
  runs: 5
  warmup: 1
  blocks: 2
  seed: 3
  fps: 30.0
  max_temp_c: 45
retry: {attempts: 2, backoff_s: 1.5}
goal_fps: 30
out: results
"""


@surface("lab", quick=60, share=1)
def lab(folder: Path) -> Prepared:
    """A plan, listed and asked for its state."""
    shutil.copytree(DATA / "made_by_0_1_0" / "nano.edgekit", folder / "nano.edgekit")
    plan, out = folder / "plan.yaml", folder / "results"
    out.mkdir()
    state = JobState("local", "nano.edgekit", "litert-fp32", 0, "failed", "no", "2026-01-01T00:00:00Z")
    samples = (
        Sample("plan", _PLAN, "text"),
        Sample("plan", _PLAN, "text"),
        Sample("state", msgspec.json.encode([state, state]), "json"),
    )

    def read(sample: Sample, data: bytes) -> None:
        plan.write_bytes(data if sample.name == "plan" else _PLAN)
        (out / "state.json").write_bytes(data if sample.name == "state" else b"[]")
        if sample.name == "state" or len(data) % 4 == 0:
            run_command("lab", "status", plan)
        else:
            run_command("lab", "run", plan, "--dry-run")

    return Prepared(samples, read, names_files=True)
