"""Which variants to measure, and where their records belong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.bundle import Bundle
from runtime.bundle.names import slug
from runtime.engines.model_file import ModelFile
from runtime.flow.frames import names_in
from runtime.measure.records import RecordLog
from runtime.targets import Target


def choose_variants(bundle: Bundle, engines: Sequence[str] = (), names: Sequence[str] = ()) -> list[str]:
    """Return the names of the bundle's variants of these engines and names (none given: all).

    Raises:
        ValueError: no variant is left.
    """
    names = names_in(bundle, names)
    for name in names:
        bundle.manifest.variant(name)
    all_of = bundle.manifest.variants
    kept = [v.name for v in all_of if (not engines or v.engine in engines) and (not names or v.name in names)]
    if not kept:
        known = ", ".join(f"{variant.name} ({variant.engine})" for variant in all_of)
        raise ValueError(
            f"no variant with engine {list(engines)} and name {list(names)}; choose from: {known}"
        )
    return kept


def default_log(bundle: Bundle, target: Target) -> RecordLog:
    """Return where records of ``bundle`` on ``target`` belong: in the bundle, or here for a bare file."""
    name = f"{slug(target.name)}.jsonl"
    if isinstance(bundle, ModelFile):
        return RecordLog(Path(f"{bundle.manifest.name}.{name}"))
    return RecordLog(bundle.path / "records" / name)
