"""A placement for a training run: made once, kept in the run's folder, the same when the run is resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from edgekit.models import ModelSpec
from edgekit.search.placement.budget import parse_budget
from edgekit.search.placement.choice import Placement, dynamic_choices, place
from edgekit.training.run import claim_folder
from runtime.bundle import write_atomic
from runtime.bundle.decoding import read_json
from runtime.errors import CheckpointError

PLACEMENT_FILE = "placement.json"


def place_for_run(
    spec: ModelSpec,
    budget: str,
    folder: Path,
    *,
    resume: bool = False,
    engine: str = "litert",
    costs: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    on_message: Callable[[str], None] = lambda line: None,
) -> tuple[ModelSpec, dict[str, Any]]:
    """Return ``spec`` dynamic where it costs least, and the placement to keep in the checkpoint.

    Args:
        spec: if nothing in it is dynamic, both kinds of blocks are placed.
        budget: as ``parse_budget`` takes it.
        folder: of the run; gets ``placement.json``. A run that is resumed takes that file's layers.
        engine, costs, progress: see ``place``.
        on_message: called with what was chosen, and with what to know of it.

    Raises:
        ValueError: ``budget`` is no share of the latency, or the engine is unknown.
        CheckpointError: ``folder`` holds a run already, or its placement is damaged.
    """
    share = parse_budget(budget)
    if not spec.is_dynamic:
        spec = replace(spec, **dynamic_choices(None, None))
    claim_folder(folder, resume)  # before minutes of measuring
    path = folder / PLACEMENT_FILE
    if resume and path.is_file():
        placement = _read(path)
    else:
        placement = place(spec, share, engine=engine, costs=costs, progress=progress)
        write_atomic(path, msgspec.json.format(msgspec.json.encode(placement), indent=1))
    on_message(placement.summary)
    for warning in placement.warnings:
        on_message(f"Warning: {warning}")
    return replace(spec, dynamic_at=placement.dynamic_at), placement.to_dict()


def _read(path: Path) -> Placement:
    advice = "train into another --out"
    found: Placement = read_json(
        path, Placement, where=f"{path} is no placement", advice=advice, error=CheckpointError
    )
    return found
