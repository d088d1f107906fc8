"""``edgekit fit --kind web``: options, and how predictors of frame rates are printed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from runtime.web.learning.result import WayFit, WebFit

_PATH = click.Path(path_type=Path)
_WAY = {
    "unrun": "of pages that never ran, by their features",
    "run": "of pages that ran once at full speed",
}


def with_web(command: Callable[..., None]) -> Callable[..., None]:
    """Add --kind web, and what goes with it alone, to ``fit``; asked for, it is done instead."""

    @functools.wraps(command)
    def fit(
        *, kind: str, bundle: Path | None, records: tuple[Path, ...], pages: tuple[Path, ...],
        out: Path | None, **others: Any,
    ) -> None:  # fmt: skip
        if kind == "web":
            _fit_web(() if bundle is None else (bundle, *records), pages, out, **others)
        elif records or pages or out is not None:
            raise click.UsageError("several files of records, --pages and -o go with --kind web alone")
        else:
            command(bundle=bundle, **others)

    for option in (
        click.argument("records", type=_PATH, nargs=-1),
        click.option("-o", "--out", type=_PATH,
                     help="With --kind web: folder of the predictors. Default: web-fit."),
        click.option("--pages", type=_PATH, multiple=True,
                     help="With --kind web: file of pages' features and families; repeatable."),
        click.option("--kind", type=click.Choice(("bundle", "web")), default="bundle", show_default=True,
                     help="What is learnt: a bundle's latencies, or gestures of RECORDS on web pages."),
    ):  # fmt: skip
        fit = option(fit)
    return fit


def _fit_web(
    paths: tuple[Path, ...], pages: tuple[Path, ...], out: Path | None, *, source: str | None,
    log: Path | None, seed: int, include_unstable: bool, as_json: bool, target: str, **others: object,
) -> None:  # fmt: skip
    if any(others.values()) or (source is not None and log is not None) or bool(paths) == (log is not None):
        raise click.UsageError(
            "--kind web takes RECORDS... with --pages, --from, --seed, --include-unstable, -o; or --log FILE"
        )
    from runtime.web.learning.fit import fit_web
    from runtime.web.learning.kept import read_records
    from runtime.web.learning.pages import read_pages
    from runtime.web.learning.storage import FOLDER
    from runtime.web.learning.transfer import transfer_web
    from runtime.web.learning.update import update_web

    folder, known = out or Path(FOLDER), read_pages(pages)
    if log is not None:
        fits = update_web(read_records([log]), known, folder)
    elif source is not None:
        fits = transfer_web(read_records(paths), known, folder, source, include_unstable=include_unstable)
    else:
        with Steps() as steps:
            fits = fit_web(
                read_records(paths), known, folder, seed=seed, include_unstable=include_unstable,
                on_step=steps.wait_for,
            )  # fmt: skip
    if as_json:
        print_json(fits)
        return
    for fit in fits:
        print_web_fit(fit)
    say(f"Saved in {folder}.")


def print_web_fit(fit: WebFit) -> None:
    """Print each way's candidates, the best first, and how far off it is on families it has not seen."""
    how = {"fit": "learnt", "transfer": f"transferred from {fit.source}", "update": "watched"}[fit.made_by]
    say(
        f"{fit.kind} on {fit.target}, {how}: {fit.n_records} {fit.provenance} runs of {fit.n_pages} pages of "
        f"{fit.n_families} families at {fit.n_places} places"
    )
    for way in fit.ways:
        say(f"\n{fit.kind} {_WAY[way.way]}")
        ranked = sorted(way.scores.items(), key=lambda item: item[1])
        rows = [(name, f"{score:.1f}", "<- chosen" if name == way.chosen else "") for name, score in ranked]
        print_table(("correction" if fit.made_by == "transfer" else "candidate", "error %", ""), rows)
        say(_describe(way, fit.confidence))
        learnt = {role: name for role, name in way.work_chosen.items() if name != "median"}
        if learnt:
            say("Work by " + ", ".join(f"{role}: {name}" for role, name in learnt.items()))
    if fit.made_by == "update":
        say("Nothing was corrected." if not fit.drifts else f"Corrected {fit.drifts} times so far.")
    for reason, count in fit.left_out.items():
        note(f"{count} left out: {reason}")
    say()


def _describe(way: WayFit, confidence: float) -> str:
    errors = way.errors
    after = ""
    if errors.after_run_mape_pct is not None:
        after = f" After one throttled run of a page: {errors.after_run_mape_pct:.1f} %."
    return (
        f"On {errors.cases} pages it never saw it is {errors.mape_pct:.1f} %, {errors.mae_fps:.2f} FPS off; "
        f"the mean of other pages at that capacity {errors.mean_mape_pct:.1f} %, {errors.mean_mae_fps:.2f} "
        f"FPS ({-errors.mae_gain_pct:+.0f} %).{after}\n"
        f"Its {confidence:.0%} bounds hold {errors.covered_pct:.0f} % of pages; the lower lies "
        f"{errors.half_width_pct:.0f} % below; {errors.refused_pct:.0f} % of rows are unlike all others and "
        "refused."
    )
