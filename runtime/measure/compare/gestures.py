"""How gestures on a page differ before a change and after it: frames shown, work, energy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from runtime.device.provenance import Provenance
from runtime.errors import DataError, RegressionError, UnreliableResult
from runtime.measure.compare.difference import Difference, compare
from runtime.measure.gesture_figures import GestureFigures, can_show
from runtime.measure.interval import Interval, median_interval
from runtime.measure.records import Record

_LEAST_FPS = 0.1  # a page that showed nothing still has a time from frame to frame


@dataclass(frozen=True)
class GestureDifference:
    """AFTER against BEFORE for one gesture on one page under one setting.

    Attributes:
        page: name of both, or both names.
        target: that both ran on.
        frame: of the mean time from one displayed frame to the next; its energies are those of a second.
        work: of the CPU time of a displayed frame at full speed: what a fast core hides.
        after_fps: interval of the median of AFTER's runs.
        capacity: of the setting's core, of 1024; ``None``: not known.
        refresh_hz: of the display.
    """

    page: str
    target: str
    frame: Difference
    work: Difference | None
    after_fps: Interval
    capacity: float | None
    refresh_hz: float

    @property
    def before_fps(self) -> float:
        """Frames per second before."""
        return 1000.0 / self.frame.a_ms

    @property
    def fps(self) -> float:
        """Frames per second after."""
        return 1000.0 / self.frame.b_ms


def compare_gestures(before: Iterable[Record], after: Iterable[Record]) -> list[GestureDifference]:
    """Return how gestures differ, for every page, gesture and setting that both sides have.

    Pages go by name; where each side has one page, they are compared whatever their names are.

    Raises:
        DataError: a side has no records of gestures, or no page is in both.
        ValueError: a page has no gesture and setting in common, a side mixes targets, or a display refreshed
            at another rate.
    """
    sides = [_by_place(side, name) for side, name in ((before, "BEFORE"), (after, "AFTER"))]
    names = [list(dict.fromkeys(page for page, _ in side)) for side in sides]
    renamed = {names[0][0]: names[1][0]} if len(names[0]) == len(names[1]) == 1 else {}
    found = []
    for (page, target), records in sides[0].items():
        other = renamed.get(page, page)
        if (other, target) in sides[1]:
            name = page if page == other else f"{page} -> {other}"
            found += _of_page(name, records, sides[1][other, target])
    if not found:
        raise DataError(
            f"BEFORE has {_some(sides[0])}; AFTER has {_some(sides[1])}; bench the same pages on the same "
            "targets, or one page on each side"
        )
    return found


def check_fps(differences: Sequence[GestureDifference], min_fps: float, every: bool = False) -> None:
    """Raise unless AFTER is shown to reach ``min_fps``, at the fastest core that each page was measured on.

    Args:
        every: at each setting that is there.

    Raises:
        RegressionError: it does not somewhere; the message names each place.
        UnreliableResult: it is unknown somewhere.
        ValueError: a display cannot show as many.
    """
    for each in differences:
        if not can_show(min_fps, each.refresh_hz):
            raise ValueError(
                f"{min_fps:g} frames a second on {each.target}; its display refreshed at "
                f"{each.refresh_hz:.4g} Hz: ask for no more"
            )
    fastest: dict[tuple[str, str, str], GestureDifference] = {}
    for each in differences:
        key = each.page, each.target, each.frame.variant
        if key not in fastest or (each.capacity or 0.0) > (fastest[key].capacity or 0.0):
            fastest[key] = each
    asked = differences if every else list(fastest.values())
    if low := [each for each in asked if each.after_fps.high < min_fps or each.fps < min_fps]:
        raise RegressionError(f"fewer than {min_fps:g} FPS: {_places(low)}")
    if unknown := [each for each in asked if each.after_fps.low < min_fps]:
        raise UnreliableResult(
            f"it is unknown whether {min_fps:g} FPS are reached: {_places(unknown)}; measure more runs on a "
            "quiet machine"
        )


def _places(differences: Sequence[GestureDifference]) -> str:
    return "; ".join(
        f"{each.page} {each.frame.variant} on {each.target}, {each.frame.setting}: {each.fps:.3g} "
        f"({each.after_fps.low:.3g} to {each.after_fps.high:.3g})"
        for each in differences
    )


def _by_place(records: Iterable[Record], side: str) -> dict[tuple[str, str], list[Record]]:
    """Return the records of gestures by page and target."""
    places: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.gesture is not None and not record.gesture.is_detailed:
            places.setdefault((record.model, record.target), []).append(record)
    if not places:
        raise DataError(f"{side} holds no records of gestures; make some: edgekit web bench PAGE")
    return places


def _of_page(name: str, before: Sequence[Record], after: Sequence[Record]) -> list[GestureDifference]:
    rates_hz = [_refresh_hz(side) for side in (before, after)]
    if not (can_show(rates_hz[0], rates_hz[1]) and can_show(rates_hz[1], rates_hz[0])):
        raise ValueError(
            f"{name} on {after[0].target}: the display refreshed at {rates_hz[0]:.4g} Hz before and "
            f"{rates_hz[1]:.4g} Hz after; set it to one rate and bench both again"
        )
    frames = compare(_timed(before, _frame_ms), _timed(after, _frame_ms))
    has_work = all(record.gesture and record.gesture.frame_work_ms > 0 for record in (*before, *after))
    works = compare(_timed(before, _work_ms), _timed(after, _work_ms)) if has_work else [None] * len(frames)
    found = []
    for frame, work in zip(frames, works, strict=True):
        runs = [r for r in after if (r.variant, r.setting) == (frame.b_variant, frame.setting)]
        fps = median_interval([[max(run.fps, _LEAST_FPS)] for run in runs])
        capacity = next((run.gesture.capacity for run in runs if run.gesture is not None), None)
        found.append(GestureDifference(name, after[0].target, frame, work, fps, capacity, rates_hz[1]))
    return found


def _refresh_hz(records: Iterable[Record]) -> float:
    """Return the display's rate in Hz; of one that changes it the highest, which gestures bring it to."""
    return max(record.gesture.refresh_hz for record in records if record.gesture is not None)


def _timed(records: Sequence[Record], cost_ms: Callable[[GestureFigures], float]) -> list[Record]:
    """Return each run as a block of its own with one sample, what it cost, and the energy of a second."""
    runs: dict[object, int] = {}
    found = []
    for record in records:
        if record.gesture is None:
            continue
        place = record.model_sha256, record.variant, record.target, record.setting
        runs[place] = runs.get(place, -1) + 1
        found.append(
            replace(
                record,
                samples_ms=(cost_ms(record.gesture),),
                energy_mj=record.power_mw,
                block=runs[place],
                run=None,
                # An emulated machine's host is never as calm as a phone: the scatter of its runs decides.
                verdict="stable" if record.provenance == Provenance.EMULATED else record.verdict,
            )
        )
    return found


def _frame_ms(gesture: GestureFigures) -> float:
    return 1000.0 / max(gesture.fps, _LEAST_FPS)


def _work_ms(gesture: GestureFigures) -> float:
    return gesture.frame_work_ms


def _some(places: dict[tuple[str, str], list[Record]]) -> str:
    listed = [f"{page} on {target}" for page, target in places]
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
