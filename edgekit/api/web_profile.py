"""Run gestures on many pages, so that the frame rates of others can be learnt."""

from __future__ import annotations

import contextlib
import functools
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edgekit.api.web import Silent, hand_over, playable
from runtime.bundle.names import slug
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.measure.records import Record, RecordLog
from runtime.web.gestures.gesture import Gesture
from runtime.web.interaction.job import PageToMeasure, WebJob, known_runs
from runtime.web.interaction.remote import measure_job
from runtime.web.interaction.settings import drawn_settings
from runtime.web.learning.pages import PAGES_FILE, KnownPage, append_page, read_pages
from runtime.web.pages.corpus.pages import CorpusPage, opened
from runtime.web.pages.features import PageFeatures
from runtime.web.pages.stress import make_pages, write_pages

# Of the fastest core: with less, the lightest page (2.5 ms a frame) shows no 23 FPS, which readers accept.
_SLOWEST_SHARE = 0.09


@dataclass(frozen=True)
class ProfilePlan:
    """Which runs pages are learnt from.

    Attributes:
        gestures: at each speed that is to be known.
        settings: of each page beside the fastest, others for each, so that pages cover all between them.
        runs: of each gesture on each setting.
        most_s: no run begins later; ``None``: all are done.
    """

    gestures: tuple[Gesture, ...]
    settings: int = 3
    runs: int = 1
    duration_s: float = 5.0
    browser: Path | None = None
    devtools: str | None = None
    seed: int = 0
    most_s: float | None = None


def web_profile(
    pages: Sequence[CorpusPage],
    target: str,
    plan: ProfilePlan,
    *,
    folder: str | os.PathLike[str] = "web-records",
    on_record: Callable[[Record], None] = lambda record: None,
    on_step: Silent = lambda text: None,
    on_message: Silent = lambda text: None,
) -> tuple[Path, Path]:
    """Run gestures on many pages, each on settings of its own, and read what the pages are made of.

    What is finished is kept in ``folder``: the same call goes on.

    Returns:
        The files of records and of pages, which ``edgekit fit --kind web`` learns from.

    Raises: as ``web_bench``.
    """
    log = RecordLog(Path(folder) / f"{slug(target)}.jsonl")
    list_path = Path(folder) / PAGES_FILE
    offer = playable(target)
    slowest = max(offer.least_capacity, _SLOWEST_SHARE * FULL_CAPACITY)
    families = {page.name: page.family for page in pages}
    with contextlib.ExitStack() as stack, log.alone():
        addresses = stack.enter_context(opened(pages))
        read = read_pages([list_path]) if list_path.is_file() else {}
        # Not the seed of a page's settings: pages that come early in the order would share their draws.
        order = sorted(pages, key=lambda page: random.Random(f"order {plan.seed} {page.name}").random())
        job = WebJob(
            tuple(
                PageToMeasure(
                    page.name,
                    addresses[page.name],
                    drawn_settings(offer.profile, plan.settings, slowest, f"{plan.seed} {page.name}"),
                )
                for page in order
            ),
            plan.gestures,
            plan.duration_s,
            plan.runs,
            plan.runs,
            browser=None if plan.browser is None else str(plan.browser),
            devtools=plan.devtools,
            only_loopback=all(page.site is not None for page in pages),
            seed=plan.seed,
            run=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            known=known_runs(log),
            read_features=tuple(page.name for page in order if page.name not in read),
            most_s=plan.most_s,
        )

        def keep_page(name: str, features: PageFeatures) -> None:
            for remark in features.notes:
                on_message(f"{name}: {remark}")
            append_page(list_path, KnownPage(name, families[name], features.values, features.painted))

        hand = functools.partial(hand_over, (log.append, on_record))
        measure_job(target, job, hand, on_step, on_message, keep_page)
    return log.path, list_path


def stress_pages(folder: Path) -> list[CorpusPage]:
    """Write the stress pages into ``folder`` and return them; pages of a kind are a family."""
    made = make_pages()
    write_pages(folder, made)
    return [
        CorpusPage(f"stress/{page.name}", f"stress/{page.kind}", "stress", f"{page.name}.html", folder, None)
        for page in made
    ]
