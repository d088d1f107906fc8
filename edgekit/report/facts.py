"""What the manifest tells of the model's origin, looked up by name: that part of it is for people.

``Manifest.source`` has no schema: exports of other tools may put there what they like. Whatever is
known under the usual names goes to the head of the report, and everything goes into its provenance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.bundle import Manifest

_MOST_ROWS = 80
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Change:
    """A figure before and after pruning."""

    name: str
    before: float
    after: float

    @property
    def change_pct(self) -> float | None:
        """Return how much less it is, in percent; negative when it grew."""
        return None if self.before == 0 else 100.0 * (self.before - self.after) / self.before


@dataclass(frozen=True)
class Fact:
    """One line of the provenance."""

    name: str
    value: str


def lookup(source: Mapping[str, Any], *names: str) -> Any | None:
    """Return the first value found under one of ``names``, outer levels before inner ones."""
    level: list[Mapping[str, Any]] = [source]
    while level:
        for mapping in level:
            for name in names:
                if mapping.get(name) is not None:
                    return mapping[name]
        level = [value for mapping in level for value in mapping.values() if isinstance(value, Mapping)]
    return None


def number(source: Mapping[str, Any], *names: str) -> float | None:
    """Return what ``lookup`` finds when it is a number."""
    value = lookup(source, *names)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def changes(source: Mapping[str, Any]) -> list[Change]:
    """Return the figures that pruning changed, from ``pruning.before`` and ``pruning.after``."""
    pruning = lookup(source, "pruning")
    if not isinstance(pruning, Mapping):
        return []
    before, after = pruning.get("before"), pruning.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return []
    return [
        Change(str(name), float(before[name]), float(after[name]))
        for name in before
        if _is_number(before[name]) and _is_number(after.get(name))
    ]


def provenance(manifest: Manifest) -> list[Fact]:
    """Return the source and the toolchain as lines, nested names joined by a dot, without what is not set."""
    facts = [Fact("made", manifest.created_utc)]
    shown = ("pruning.before.", "pruning.after.")  # have a table of their own
    facts += [Fact(name, value) for name, value in _flat(manifest.source) if not name.startswith(shown)]
    facts += [Fact(f"version of {name}", version) for name, version in manifest.toolchain.items()]
    if len(facts) > _MOST_ROWS:
        rest = len(facts) - _MOST_ROWS
        facts = [*facts[:_MOST_ROWS], Fact("and", f"{rest} more in manifest.json")]
    return facts


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
        return
    if value is None or value in ([], {}, ""):
        return
    text = ", ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)
    if len(text) > _LONGEST_VALUE:
        text = text[:_LONGEST_VALUE] + " ..."
    yield prefix, text


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not set" if value is None else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
