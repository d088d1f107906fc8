"""Which records of one side belong to which of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.device.setting import Setting
from runtime.measure.origin import check_one_machine, newest_blocks, newest_versions, of_known_machine
from runtime.measure.records import Record


@dataclass(frozen=True)
class Matched:
    """Blocks of both sides under one setting; ``is_paired``: the i-th of each ran side by side."""

    a: tuple[Record, ...]
    b: tuple[Record, ...]
    is_paired: bool

    def stable(self) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Return the stable blocks of each side; where paired, the pairs of which both are."""
        if self.is_paired:
            kept = [pair for pair in zip(self.a, self.b, strict=True) if all(r.is_trusted for r in pair)]
            return tuple(a for a, _ in kept), tuple(b for _, b in kept)
        return (
            tuple(record for record in self.a if record.is_trusted),
            tuple(record for record in self.b if record.is_trusted),
        )


_ON_ONE = "compare the two in one run on one machine, `edgekit compare A B`, or targets of two names"


def match(a: Sequence[Record], b: Sequence[Record]) -> list[Matched]:
    """Return the records of both sides by (variant, setting, pace), slowest clock last.

    Of each variant only the newest model file counts, of each block the last try. Where each side
    has one variant, they match whatever their names are.

    Raises:
        ValueError: nothing matches, or a side mixes targets.
        DataError: a side mixes machines, or the two are of one target and not of one machine.
    """
    newest_a, newest_b = _newest(a, "A"), _newest(b, "B")
    if {record.target for record in newest_a} == {record.target for record in newest_b}:
        check_one_machine((*newest_a, *newest_b), _ON_ONE)
    names_a, names_b = ({record.variant for record in side} for side in (newest_a, newest_b))
    by_name = not len(names_a) == len(names_b) == 1
    groups_a, groups_b = _group(newest_a, by_name), _group(newest_b, by_name)
    common = [key for key in groups_a if key in groups_b]
    if not common:
        raise ValueError(
            f"nothing to compare: A has {_named(groups_a)}; B has {_named(groups_b)}; bench the same "
            "variants under the same settings, or name one variant of each side"
        )
    return [_pair(groups_a[key], groups_b[key]) for key in common]


def _newest(records: Sequence[Record], side: str) -> list[Record]:
    """Return the records of the newest file, kernel and engine of each variant, the last of each block."""
    targets = sorted({record.target for record in records})
    if len(targets) > 1:
        raise ValueError(f"{side} has records of {', '.join(targets)}; choose one with --target")
    check_one_machine(records)
    file_of = {record.variant: record.model_sha256 for record in records}
    now = [record for record in records if file_of[record.variant] == record.model_sha256]
    return newest_blocks(newest_versions(of_known_machine(now)))


Key = tuple[str | None, Setting, float | None]


def _group(records: Sequence[Record], by_name: bool) -> dict[Key, list[Record]]:
    groups: dict[Key, list[Record]] = {}
    for record in records:
        key = (record.variant if by_name else None, record.setting, record.fps_target)
        groups.setdefault(key, []).append(record)
    return dict(
        sorted(groups.items(), key=lambda item: (item[0][0] or "", *_rank(item[0][1]), item[0][2] or 0))
    )


def _rank(setting: Setting) -> tuple[int, str, int]:
    return setting.threads, setting.cluster, -(setting.freq_khz or 0)


def _pair(a: Sequence[Record], b: Sequence[Record]) -> Matched:
    places = [{(record.run, record.block): record for record in side} for side in (a, b)]
    in_runs = all(record.run is not None for record in (*a, *b))
    if in_runs and places[0].keys() == places[1].keys() and len(places[0]) == len(a) == len(b):
        order = sorted(places[0], key=lambda place: (str(place[0]), place[1]))
        return Matched(tuple(places[0][p] for p in order), tuple(places[1][p] for p in order), is_paired=True)
    return Matched(tuple(a), tuple(b), is_paired=False)


def _named(groups: dict[Key, list[Record]]) -> str:
    shown = dict.fromkeys(f"{group[0].variant} {key[1]}" for key, group in groups.items())
    listed = list(shown)[:4]
    return ", ".join(listed) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "") or "no records"
