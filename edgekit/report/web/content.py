"""What a folder of measured gestures holds: a case for each gesture on a page on a target."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.provenance import Provenance, least_certain
from runtime.errors import DataError
from runtime.measure.records import Record
from runtime.web.frames.films import Film, read_films
from runtime.web.governing.trials import Trial, read_trials
from runtime.web.interaction.rows import GestureRow, cheapest, summarise
from runtime.web.learning.kept import read_records
from runtime.web.learning.pages import PAGES_FILE, KnownPage, read_pages


@dataclass(frozen=True)
class Choice:
    """The cheapest setting that holds a frame rate.

    Attributes:
        row: its runs; ``None``: no setting holds the rate, or no power is known.
        saved_pct: how far its power is below that of the most expensive setting measured.
        why_none: in words, where there is no row.
    """

    fps: float
    row: GestureRow | None
    saved_pct: float | None = None
    why_none: str = ""


@dataclass(frozen=True)
class Case:
    """One gesture on one page on one target.

    Attributes:
        rows: of each setting, the fastest core first.
        records: that the rows sum up.
        films: pictures of it, by setting.
        choices: for each frame rate asked for.
    """

    rows: tuple[GestureRow, ...]
    records: tuple[Record, ...]
    films: tuple[Film, ...]
    choices: tuple[Choice, ...]

    @property
    def page(self) -> str:
        return self.rows[0].page

    @property
    def gesture(self) -> str:
        return self.rows[0].gesture

    @property
    def target(self) -> str:
        return self.rows[0].target

    @property
    def fastest(self) -> GestureRow:
        """The row that shows most frames."""
        return max(self.rows, key=lambda row: row.fps)

    @property
    def refresh_hz(self) -> float:
        """Of the display."""
        return max(record.gesture.refresh_hz for record in self.records if record.gesture is not None)

    def bounds_fps(self, row: GestureRow) -> tuple[float, float]:
        """Return the interval of a row's frame rate; no display shows more than it refreshes."""
        return row.interval.low, max(min(row.interval.high, self.refresh_hz), row.fps)

    @property
    def work_ms(self) -> float:
        """CPU time of a frame where the core was fastest."""
        return self.rows[0].frame_work_ms

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters, the fastest first; colours follow it."""
        return tuple(dict.fromkeys(row.setting.cluster for row in self.rows))

    @property
    def knows_capacity(self) -> bool:
        return any(row.capacity for row in self.rows)

    @property
    def knows_power(self) -> bool:
        return any(row.power_mw is not None for row in self.rows)

    @property
    def provenance(self) -> Provenance:
        """What to call its frame rates."""
        return least_certain(record.provenance for record in self.records)

    @property
    def energy_provenance(self) -> Provenance:
        """What to call its powers: no more certain than the run."""
        kinds = [record.energy.provenance for record in self.records if record.energy is not None]
        return least_certain([self.provenance, *kinds])

    @property
    def energy_source(self) -> str:
        known = [record for record in self.records if record.power_mw is not None]
        return (known or self.records)[-1].energy_source

    @property
    def chosen(self) -> tuple[GestureRow, ...]:
        """The settings chosen, each once."""
        rows = [choice.row for choice in self.choices if choice.row is not None]
        return tuple({row.setting: row for row in rows}.values())


@dataclass(frozen=True)
class WebContent:
    """All that is reported on.

    Attributes:
        cases: those whose frames take most work first.
        known: what is known of the pages beside their records, by name.
        left_out: records of earlier versions of the pages.
        trials: gestures that were tried governed and not.
    """

    folder: Path
    cases: tuple[Case, ...]
    known: dict[str, KnownPage]
    left_out: int
    trials: tuple[Trial, ...] = ()

    @property
    def records(self) -> list[Record]:
        return [record for case in self.cases for record in case.records]

    @property
    def pages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.page for each in (*self.cases, *self.trials)))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.target for each in (*self.cases, *self.trials)))


def collect(folder: Path, rates: Sequence[float], pages: Sequence[str] = ()) -> WebContent:
    """Return what ``folder``, where gestures were measured, holds.

    Args:
        rates: frame rates to hold; none: the display's, and half of it.
        pages: names or patterns of the pages to report on; all without any.

    Raises:
        DataError: there is no such folder, no record of a gesture in it, or a file is damaged.
    """
    if not folder.is_dir():
        raise DataError(
            f"there is no folder {folder}; give one that edgekit web bench or web profile wrote, or measure: "
            "edgekit web bench PAGE"
        )
    paths = [p for p in sorted(folder.iterdir()) if p.name.endswith((".jsonl", ".jsonl.gz")) and p.is_file()]
    found = read_records(path for path in paths if path.name != PAGES_FILE)
    records = [record for record in found if record.gesture is not None]
    trials = list(read_trials(folder))
    if not records and not trials:
        raise DataError(
            f"{folder} holds {len(found)} records, none of a gesture; measure some: "
            f"edgekit web bench PAGE -o {folder}"
        )
    names = dict.fromkeys((*(record.model for record in records), *(trial.page for trial in trials)))
    asked = [name for name in names if not pages or any(fnmatch.fnmatch(name, each) for each in pages)]
    if not asked:
        raise DataError(
            f"no page of {folder} is called {', '.join(pages)}; there are {', '.join(list(names)[:5])}"
            f"{' and others' if len(names) > 5 else ''}; give one of them, or * in it"
        )
    last = {(record.model, record.target): record.model_sha256 for record in records}
    now = [r for r in records if r.model in asked and last[r.model, r.target] == r.model_sha256]
    earlier = sum(record.model in asked for record in records) - len(now)
    list_path = folder / PAGES_FILE
    known = read_pages([list_path]) if list_path.is_file() else {}
    cases = _cases(now, list(read_films(folder)), rates)
    return WebContent(folder, cases, known, earlier, tuple(trial for trial in trials if trial.page in asked))


def _cases(records: Sequence[Record], films: Sequence[Film], rates: Sequence[float]) -> tuple[Case, ...]:
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.model, record.variant, record.target), []).append(record)
    shown: dict[tuple[str, str, str], list[Film]] = {}
    for film in films:
        shown.setdefault((film.page, film.gesture, film.target), []).append(film)
    cases = []
    for key, group in groups.items():
        rows = tuple(summarise(group))
        mine = tuple(film for film in shown.get(key, ()) if film.sha256 == group[-1].model_sha256)
        refresh_hz = max(row.refresh_hz for row in rows)
        choices = tuple(_choice(rows, fps) for fps in rates or (refresh_hz, refresh_hz / 2))
        cases.append(Case(rows, tuple(group), mine, choices))
    return tuple(sorted(cases, key=lambda case: (-case.work_ms, case.page, case.gesture, case.target)))


def _choice(rows: Sequence[GestureRow], fps: float) -> Choice:
    best = cheapest(rows, fps)
    if best is not None:
        most_mw = max(row.power_mw or 0.0 for row in rows)
        saved_pct = 100 * (1 - (best.power_mw or 0.0) / most_mw) if most_mw > 0 else None
        return Choice(fps, best, saved_pct)
    fastest = max(rows, key=lambda row: row.fps)
    if fastest.holds(fps):
        return Choice(fps, None, None, "held, but no power is known")
    return Choice(fps, None, None, f"not held; at most {fastest.fps:.1f}")
