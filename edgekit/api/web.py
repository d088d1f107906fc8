"""Measure gestures on pages, over the settings of real or emulated machines."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from runtime.bundle.names import slug
from runtime.device.emulation.steal import least_share
from runtime.device.soc import SocProfile, load_profile
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.measure.records import Record, RecordLog
from runtime.targets.local import LocalTarget
from runtime.targets.name import TargetName
from runtime.web.browser.display import HEADLESS_HZ, check_rate
from runtime.web.frames.films import keep_film, read_films
from runtime.web.gestures.gesture import Gesture
from runtime.web.interaction.job import PageToMeasure, WebJob, known_runs
from runtime.web.interaction.remote import measure_job
from runtime.web.interaction.settings import spread_settings
from runtime.web.learning.pages import PAGES_FILE, KnownPage, append_page
from runtime.web.pages.corpus.place import opened_place

Silent = Callable[[str], None]


@dataclass(frozen=True)
class WebPlan:
    """How gestures are measured.

    Attributes:
        clocks: of each cluster, from its slowest to its fastest.
        duration_s: of a gesture, at least.
        least_runs, most_runs: of each gesture on each setting: until the 95 % interval of the frame rate is
            within 5 %.
        with_details: one more run of each with Chrome's reports of dropped and delayed frames.
        with_films: and one of which pictures are kept.
        browser: its program; ``None``: the first that the machine has.
        devtools: socket of a phone's browser; ``None``: Chrome's. Of an app's web view:
            ``webview_devtools_remote_PID``.
        rates: frames a second that somebody asks about; displays that cannot show them are refused.
    """

    gestures: tuple[Gesture, ...]
    clocks: int = 4
    duration_s: float = 5.0
    least_runs: int = 5
    most_runs: int = 10
    with_details: bool = True
    with_films: bool = False
    browser: Path | None = None
    devtools: str | None = None
    seed: int = 0
    rates: tuple[float, ...] = ()


@dataclass(frozen=True)
class Playable:
    """What pages can be measured on.

    Attributes:
        profile: clusters and clocks of a target.
        least_capacity: below which it cannot play them.
        most_hz: that its display refreshes at.
    """

    profile: SocProfile
    least_capacity: float = 0.0
    most_hz: float = HEADLESS_HZ


def web_bench(
    places: Sequence[str],
    targets: Sequence[str],
    plan: WebPlan,
    *,
    folder: str | os.PathLike[str] = "web-records",
    again: bool = False,
    on_record: Callable[[Record], None] = lambda record: None,
    on_step: Silent = lambda text: None,
    on_message: Silent = lambda text: None,
) -> list[Record]:
    """Measure gestures on pages over each target's settings, and return all records.

    Records are kept in ``folder``, a file for each target, with what the pages are made of: the same call
    after an interruption goes on.

    Args:
        places: addresses, or paths of saved pages or names in the corpus, which are served and reach no
            other host.
        targets: ``local``, ``emulated:SOC`` or ``adb:SERIAL``.
        again: measure everything anew.

    Raises:
        ValueError: no such target or setting, or a display cannot show one of the plan's rates.
        DataError: no such page.
        WebError: there is no browser.
        DeviceError, PermissionNeeded: a target cannot hold a setting.
    """
    found: list[Record] = []
    kept_in = Path(folder)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(opened_place(place)) for place in places]
        urls = {place.name: place.url for place in opened}
        offered = {target: playable(target) for target in targets}
        for (target, offer), fps in itertools.product(offered.items(), plan.rates):
            check_rate(fps, offer.most_hz, target)
        for target, offer in offered.items():
            settings = spread_settings(offer.profile, plan.clocks)
            log = RecordLog(kept_in / f"{slug(target)}.jsonl")
            with log.alone():
                earlier = [] if again else [record for record in log if record.model in urls]
                films = [] if again or not plan.with_films else read_films(kept_in)
                job = WebJob(
                    tuple(PageToMeasure(name, url, settings) for name, url in urls.items()),
                    plan.gestures,
                    plan.duration_s,
                    plan.least_runs,
                    plan.most_runs,
                    browser=None if plan.browser is None else str(plan.browser),
                    devtools=plan.devtools,
                    only_loopback=not any(place.is_remote for place in opened),
                    seed=plan.seed,
                    run=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                    with_details=plan.with_details,
                    with_films=plan.with_films,
                    filmed=tuple(film.key for film in films if film.target == target),
                    read_features=tuple(urls),
                    with_listeners=True,
                    known=known_runs(earlier),
                )
                measured: list[Record] = []
                keepers = (log.append, measured.append, on_record)
                measure_job(
                    target,
                    job,
                    functools.partial(hand_over, keepers),
                    on_step,
                    on_message,
                    lambda name, read: append_page(
                        kept_in / PAGES_FILE, KnownPage(name, None, read.values, read.painted, read.listeners)
                    ),
                    functools.partial(keep_film, kept_in),
                )
                found += [*earlier, *measured]
    return found


def playable(target: str) -> Playable:
    """Return what pages can be measured on at a target.

    Raises:
        ValueError: no such target.
        DeviceError: a phone is not there.
    """
    name = TargetName.parse(target)
    if name.kind == "emulated":
        return Playable(load_profile(name.rest), least_share() * FULL_CAPACITY)
    if name.kind == "adb":
        from runtime.targets.adb.target import AdbTarget  # needs devlib
        from runtime.web.phone.display import read_peak_hz
        from runtime.web.phone.machine import playable_profile

        phone = AdbTarget(name.rest)
        return Playable(playable_profile(phone), most_hz=read_peak_hz(phone.shell))
    return Playable(LocalTarget().profile)


def hand_over(keepers: Sequence[Callable[[Record], None]], record: Record) -> None:
    """Give a record to all of ``keepers``."""
    for keep in keepers:
        keep(record)
