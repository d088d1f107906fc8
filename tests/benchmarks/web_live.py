"""Live pages that no predictor has seen, on an emulated phone: ``python -m tests.benchmarks.web_live``.

Pages of families drawn at random are left out of the records of ``edgekit web profile`` (``--records``), and
predictors are fitted to the rest; or ``--fit`` names predictors and ``--page`` pages that these were not
taught. Each visit opens a page anew in a real browser, pages and governors in random order, and does a
gesture:

- ``edgekit``: governed, twice: the first is predicted by what the page is made of, the second by the page's
  own frames, as ``nth`` says.
- the kernel's governor that the phone runs (``schedutil``), on the fastest cluster.
- ``held``: without a governor, at the setting that edgekit's second gesture had: what governing costs in
  frames is the difference, taken where that gesture kept one setting.

A gesture misses below 95 % of its target. Energies are those of the emulated phone's meter over the gesture,
idle clusters included. The governor's own CPU time is that of its threads: the page's governor, the server
that sets clocks, and the reader of the browser's messages, which also takes the answers to our inputs.

Needs Linux, root, a C compiler, two CPUs that nothing else uses, and Chromium.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edgekit.cli._output import note
from runtime.errors import WebError
from runtime.measure.quantile import quantile
from runtime.web.pages.corpus import CorpusPage, corpus_folder, find_pages
from tests.benchmarks._emulated import rows_inside
from tests.benchmarks._live_pages import draw_pages, fit_without
from tests.benchmarks._table import rounded, show, write_report
from tests.places import ROOT

OURS, HELD = "edgekit", "held"
_IDLE_S = 3.0  # that the governor's own work is measured over before a gesture
_COLUMNS = {
    "page": "page", "gesture": "gesture", "governor": "governor", "nth": "nth", "fps_target": "of",
    "fps": "FPS", "predicted_fps": "predicted", "mean_mw": "mW", "setting": "setting",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.web_live", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", default="exynos5422")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--stress", type=int, default=5, help="of the pages, stress pages")
    parser.add_argument("--minutes", type=float, default=30.0, help="no visit begins later")
    parser.add_argument("--records", type=Path, default=ROOT / "tests/data/web", help="folder to learn from")
    parser.add_argument("--fit", type=Path, help="predictors to use instead")
    parser.add_argument(
        "--page", action="append", default=[], help="with --fit: page of the corpus; repeatable"
    )
    parser.add_argument("--gesture", action="append", help="repeatable; default: scroll")
    parser.add_argument("--fps", action="append", type=float, help="repeatable; default: 60 and 30")
    parser.add_argument("--duration-s", type=float, default=5.0, help="of a gesture")
    parser.add_argument("--learner", action="append", help="only these candidates; repeatable")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)  # file of the pages
    options = parser.parse_args(arguments)
    options.fps, options.gesture = options.fps or [60.0, 30.0], options.gesture or ["scroll"]
    if options.inside:
        visit_all(options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.fit:
            pages = [page for page in find_pages(corpus_folder()) if page.name in options.page]
            if len(pages) < len(set(options.page)) or not pages:
                parser.error("--fit goes with --page NAME, names of edgekit web corpus list")
        else:
            pages = draw_pages(options.pages, options.stress, folder / "stress", options.seed)
            options.fit = folder / "fit"
            kinds = sorted({text.partition(":")[0] for text in options.gesture})
            fit_without(
                pages, options.records, f"emulated:{options.soc}", kinds, options.fit, options.learner
            )
        job = folder / "job.json"
        job.write_bytes(msgspec.json.encode(pages))
        given = [f"--job={job}", f"--fit={options.fit}", *(f"--fps={fps}" for fps in options.fps)]
        given += [f"--gesture={gesture}" for gesture in options.gesture]
        names = ("soc", "minutes", "duration_s", "seed")
        given += [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
        rows = rows_inside(options.soc, "web_live", folder / "rows.json", given)
    show(_COLUMNS, [rounded(row) for row in rows if row["governor"] != "cpu"])
    summary = summarise(rows)
    for key, value in summary.items():
        note(f"{key}: {round(value, 2) if isinstance(value, float) else value}")
    write_report(options.json, "web_live", rows, summary)


def visit_all(options: argparse.Namespace) -> None:
    """Visit pages in random order until the time is over; rows are written after each visit."""
    from runtime.web.browser.chromium import Browser, Launch
    from runtime.web.browser.connection import Connection
    from runtime.web.gestures.gesture import parse_gesture
    from runtime.web.pages.corpus import opened

    pages = msgspec.json.decode(options.job.read_bytes(), type=list[CorpusPage])
    rows: list[dict[str, Any]] = []
    options.inside.write_bytes(msgspec.json.encode(rows))
    order, begin_s = random.Random(options.seed), time.monotonic()
    phone = Phone(options)
    gestures = [parse_gesture(text) for text in options.gesture]
    with (
        opened(pages) as addresses,
        Browser(Launch(only_loopback=True)) as browser,
        Connection(browser.endpoint) as connection,
    ):
        for number in itertools.count():
            visits = list(itertools.product(pages, gestures, (OURS, "kernel")))
            order.shuffle(visits)
            fps = options.fps[number % len(options.fps)]
            for page, gesture, governor in visits:
                if time.monotonic() - begin_s > 60 * options.minutes:
                    return
                note(f"{page.name}: {gesture.name} under {governor}, {fps:g} FPS")
                try:
                    for row in phone.visit(connection, addresses[page.name], page, gesture, governor, fps):
                        rows.append({"round": number, "family": page.family, **row})
                except WebError as err:
                    note(f"{page.name}: {err}")
                options.inside.write_bytes(msgspec.json.encode(rows))


class Phone:
    """The emulated machine that this runs on, with its governor and what that has learnt."""

    def __init__(self, options: argparse.Namespace):
        from runtime.govern.governor.plan import plan_for
        from runtime.targets import open_target
        from runtime.web.governing.learnt_model import LearntModel

        self.duration_s = options.duration_s
        self.plan = plan_for(open_target("local"), None, 60.0)
        self.target = self.plan.target
        assert self.target.provenance == "emulated"
        self.model = LearntModel(
            self.plan.table.rows, options.fit, self.plan.name, self.target.profile, on_message=note
        )

    def visit(
        self, connection: Any, url: str, page: CorpusPage, gesture: Any, governor: str, fps: float
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of one visit."""
        from runtime.device.setting import Setting
        from runtime.web.governing.stage import Stage
        from runtime.web.pages.loading import loaded

        with loaded(connection, url) as shown:
            stage = Stage(self.target, shown, page.name, called=self.plan.name, duration_s=self.duration_s)
            if governor == OURS:
                yield from self._governed(shown, stage, gesture, fps)
            else:
                fastest = max(self.target.profile.clusters, key=self.target.profile.capacity)
                yield _row(stage.at(Setting(fastest.name, None), gesture, fps), 1, "")

    def _governed(self, page: Any, stage: Any, gesture: Any, fps: float) -> Iterator[dict[str, Any]]:
        from runtime.govern.governor.beside import serving_beside
        from runtime.web.governing.goal import FrameGoal
        from runtime.web.governing.page_governor import PageGovernor
        from runtime.web.governing.stage import governed

        def make(on_gesture: Any) -> PageGovernor:
            return PageGovernor(
                page, self.model, FrameGoal(fps), path, on_message=note, on_gesture=on_gesture,
                name_of=lambda url: stage.name,
            )  # fmt: skip

        settings: list[Any] = []
        with serving_beside(self.plan, on_message=note) as server:
            path = str(server.path)
            with governed(make) as governing:
                begin_s, begin_ms = time.monotonic(), _own_cpu_ms(governing.thread)
                time.sleep(_IDLE_S)
                idle_pct = _share_pct(begin_s, begin_ms, governing.thread)
                for nth in (1, 2):
                    begin_s, begin_ms = time.monotonic(), _own_cpu_ms(governing.thread)
                    trial, gestures = stage.under(governing, gesture)
                    busy_pct = _share_pct(begin_s, begin_ms, governing.thread)
                    settings = [setting for each in gestures for _, setting in each.settings]
                    yield _row(trial, nth, " -> ".join(map(str, settings))) | {
                        "alarms": sum(each.alarms for each in gestures),
                        "gestures": len(gestures),
                        "choose_ms": [ms for each in gestures for ms in each.choose_ms],
                        "changes": list(_changes(gestures, self.model.idle.cluster)),
                        "idle_cpu_pct": idle_pct,
                        "gesture_cpu_pct": busy_pct,
                    }
        if len(set(settings)) == 1:
            yield _row(stage.at(settings[0], gesture, fps), 3, str(settings[0]))


def _row(trial: Any, nth: int, setting: str) -> dict[str, Any]:
    """Return a gesture as a row; of several ways of knowing what to do, ``nth`` is which."""
    return {
        "page": trial.page,
        "gesture": trial.gesture,
        "governor": trial.governor,
        "nth": nth,
        "fps_target": trial.fps_target,
        "fps": trial.fps,
        "predicted_fps": trial.predicted_fps,
        "mean_mw": trial.mean_mw,
        "misses": trial.misses,
        "setting": setting,
    }


def _changes(gestures: Sequence[Any], idle_cluster: str) -> Iterator[tuple[bool, float]]:
    """Yield of each change of the setting whether it was one of cluster, and how long it took in ms."""
    for each in gestures:
        before = idle_cluster
        for (_, setting), hold_ms in zip(each.settings, each.hold_ms, strict=True):
            yield setting.cluster != before, hold_ms
            before = setting.cluster


def _own_cpu_ms(thread: threading.Thread | None) -> float:
    from runtime.web.browser.thread_times import cpu_ms

    names = ("edgekit-governor", "edgekit-cdp")
    mine = [each for each in threading.enumerate() if each is thread or each.name in names]
    return sum(cpu_ms(os.getpid(), each.native_id) for each in mine if each.native_id is not None)


def _share_pct(begin_s: float, begin_ms: float, thread: threading.Thread | None) -> float:
    """Return how much of a core the governor took since a moment, in percent."""
    return (_own_cpu_ms(thread) - begin_ms) / (time.monotonic() - begin_s) / 10


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures over all pages; empty where nothing was visited."""
    ours = [row for row in rows if row["governor"] == OURS]
    theirs = [row for row in rows if row["governor"] not in (OURS, HELD)]
    if not ours:
        return {"pages": 0}
    summary: dict[str, Any] = {"pages": len({row["page"] for row in ours}), "gestures": len(ours)}
    for nth, name in ((1, "first"), (2, "second")):
        mine = [row for row in ours if row["nth"] == nth and row["predicted_fps"]]
        if mine:
            off = [100 * abs(row["predicted_fps"] / max(row["fps"], 1.0) - 1) for row in mine]
            summary[f"{name}_error_median_pct"] = statistics.median(off)
            summary[f"{name}_misses_pct"] = 100 * statistics.fmean(row["misses"] for row in mine)
    summary["kernel_misses_pct"] = 100 * statistics.fmean(row["misses"] for row in theirs) if theirs else None
    for fps in sorted({row["fps_target"] for row in ours}, reverse=True):
        summary[f"energy_saved_{fps:g}_fps_pct"] = _saved_pct(ours, theirs, fps)
    pairs = list(_pairs(rows))
    summary["fps_lost_mean"] = statistics.fmean(pairs) if pairs else None
    summary["fps_lost_median"] = statistics.median(pairs) if pairs else None
    for key in ("idle_cpu_pct", "gesture_cpu_pct"):
        summary[key] = statistics.fmean(row[key] for row in ours)
    summary["choose_ms_p99"] = quantile([ms for row in ours for ms in row["choose_ms"]], 0.99)
    for is_move, name in ((False, "clock_ms_p99"), (True, "cluster_ms_p99")):
        took = [ms for row in ours for moved, ms in row["changes"] if moved == is_move]
        summary[name] = quantile(took, 0.99) if took else None
    return summary


def _saved_pct(ours: Sequence[dict], theirs: Sequence[dict], fps: float) -> float | None:
    """Return the mean over pages and gestures of what edgekit's power is below the kernel's at a target."""
    shares = []
    for key in {(row["page"], row["gesture"]) for row in ours}:
        both = [
            [r["mean_mw"] for r in rows if (r["page"], r["gesture"]) == key and r["mean_mw"] is not None]
            for rows in ([row for row in ours if row["fps_target"] == fps], theirs)
        ]
        if all(both):
            shares.append(100 * (1 - statistics.fmean(both[0]) / statistics.fmean(both[1])))
    return statistics.fmean(shares) if shares else None


def _pairs(rows: Sequence[dict[str, Any]]) -> Iterator[float]:
    """Yield by how much a governed gesture showed fewer frames than the same one held at its setting."""
    for before, row in itertools.pairwise(rows):
        if row["governor"] == HELD and before["governor"] == OURS:
            yield row["fps"] - before["fps"]


if __name__ == "__main__":
    main()
