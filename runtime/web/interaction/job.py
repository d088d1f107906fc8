"""What a worker on the measured machine is asked to do, and what it tells: lines of JSON."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runtime.device.setting import Setting
from runtime.measure.interval import of_runs
from runtime.measure.records import Record
from runtime.targets.failed import Failed
from runtime.web.browser.page import PHONE, Viewport
from runtime.web.frames.films import Film, FilmKey
from runtime.web.gestures.gesture import Gesture
from runtime.web.pages.features import PageFeatures

_LEAST_FPS = 0.1  # of a run without a frame, whose logarithm must be


class PageToMeasure(msgspec.Struct, frozen=True):
    """A page by its name in records, its address, and the settings to run it on."""

    name: str
    url: str
    settings: tuple[Setting, ...]


class Known(msgspec.Struct, frozen=True):
    """A run that was measured before, by the same browser on the same machine if its names agree.

    Attributes:
        page, sha256: name and digest of the page.
        gesture: its name.
        engine, kernel, device: as in the record.
        is_detailed: it had Chrome's reports, and its frame rate is not the page's.
    """

    page: str
    sha256: str
    gesture: str
    setting: Setting
    fps: float
    engine: str
    kernel: str
    device: str
    is_detailed: bool


def known_runs(records: Iterable[Record]) -> tuple[Known, ...]:
    """Return the runs of records that need not be measured again: those that nothing disturbed.

    Of an emulated machine all count: its host is never as calm as a phone, and their scatter decides.
    """
    return tuple(
        Known(
            record.model,
            record.model_sha256,
            record.variant,
            record.setting,
            record.fps,
            record.versions.get("engine", ""),
            record.versions.get("kernel", ""),
            record.device.get("name", ""),
            record.gesture.is_detailed,
        )
        for record in records
        if record.gesture is not None and (record.is_trusted or record.provenance == "emulated")
    )


class WebJob(msgspec.Struct, frozen=True):
    """Gestures on pages.

    Attributes:
        duration_s: of each gesture, at least.
        least_runs, most_runs: of each gesture on each setting.
        width: runs are enough once the 95 % interval of their frame rate is within this share.
        browser: its program; ``None``: the first that the machine has.
        devtools: socket at which a phone's browser is driven; ``None``: Chrome's.
        only_loopback: pages reach no other host.
        seed: of the order.
        run: names the series in records.
        known: runs that need not be measured again.
        with_details: after the other runs, one with Chrome's reports of each gesture and setting.
        with_films: and then one of each, with pictures of what it showed, but for those in ``filmed``.
        read_features: pages whose features are to be read once they are loaded.
        with_listeners: and what their listeners cost.
        most_s: no run begins later than this after the job did; ``None``: all are done.
    """

    pages: tuple[PageToMeasure, ...]
    gestures: tuple[Gesture, ...]
    duration_s: float = 5.0
    least_runs: int = 5
    most_runs: int = 10
    width: float = 0.05
    browser: str | None = None
    devtools: str | None = None
    only_loopback: bool = False
    viewport: Viewport = PHONE
    seed: int = 0
    run: str | None = None
    known: tuple[Known, ...] = ()
    with_details: bool = False
    with_films: bool = False
    filmed: tuple[FilmKey, ...] = ()
    read_features: tuple[str, ...] = ()
    with_listeners: bool = False
    most_s: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.least_runs <= self.most_runs:
            raise ValueError(
                f"{self.least_runs} to {self.most_runs} runs; give at least 1, and no more at least"
            )
        if not 0.5 <= self.duration_s <= 120:
            raise ValueError(f"a gesture of {self.duration_s:g} s; it must take 0.5 to 120 s")

    def is_enough(self, fps: list[float]) -> bool:
        """Return whether runs with these frame rates tell the page's."""
        if len(fps) < self.least_runs:
            return False
        if len(fps) >= self.most_runs:
            return True
        return of_runs([max(each, _LEAST_FPS) for each in fps]).half_share <= self.width


class Measured(msgspec.Struct, frozen=True, tag=True):
    """A run is done."""

    record: Record


class FeaturesRead(msgspec.Struct, frozen=True, tag=True):
    """What a page is made of."""

    page: str
    features: PageFeatures


class Filmed(msgspec.Struct, frozen=True, tag=True):
    """Pictures of a run are there."""

    film: Film


class Remark(msgspec.Struct, frozen=True, tag=True):
    """Something to tell: a page that was left out, a browser that was started again."""

    text: str


class Step(msgspec.Struct, frozen=True, tag=True):
    """What begins now."""

    text: str


Message = Measured | FeaturesRead | Filmed | Remark | Step | Failed
