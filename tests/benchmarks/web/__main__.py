"""Frame rates of pages never seen, and what choosing by them saves: ``python -m tests.benchmarks.web``.

Reads kept records of gestures (by default all of ``tests/data/web``) and files of pages beside them, fits
predictors with whole families of pages left out, and prints what the left-out pages show against what was
said of them:

- ``unrun``: by features alone; ``run``: by features and one run at full speed; ``after``: corrected by one
  throttled run of the page.
- beside each error the repeat error of the truth: how far the medians of every second run and of the others
  differ. What is left of it in the median of all runs is about half.
- the yardstick: the mean of the other pages at that capacity under that gesture.
- ``curve``: how far off a page's own curve is at a setting that it was not fitted to: it stands for the truth
  between settings. Pages that were measured at every setting say how good it is (``_grid``).

Rows of at least five runs are truths to judge by (``truth``), where there are some; others are for learning.
With records of several SoCs, predictors of each are brought to each other by 18 pages, too.

Energies are MODELLED: frames of each left-out page replayed under each governor on the profile's power table,
at the page's own curve through what was measured of it (``runtime.web.learning.truth``). ``policy`` holds the
setting that was chosen by what is said of the page without its family, ``first`` is what the live governor
makes of the page's first gesture, which chooses anew after half a second, ``later`` of its third, with its
own margin, having seen the frames of two. A gesture misses its target below 95 % of it, avoidably where the
fastest clock would have shown more; what is saved by that counts in no share of the best's saving. Savings
are told once more at equal frames, and at equal misses: where a baseline misses, ours is asked for no more
than it shows. They are geometric means over real pages; stress pages are apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import note
from runtime.errors import EdgekitError
from runtime.web.learning.kept import read_records
from runtime.web.learning.measured import Measured, measured
from runtime.web.learning.pages import KnownPage, read_pages
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.web._energy import ENERGY_COLUMNS, energy_rows, energy_summary
from tests.benchmarks.web._errors import ERROR_COLUMNS, ErrorStudy, error_summary
from tests.benchmarks.web._grid import GRID_COLUMNS, grid_rows
from tests.benchmarks.web._port import PORT_COLUMNS, port_row
from tests.places import ROOT

KEPT = ROOT / "tests/data/web"


@click.command()
@click.argument("records", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--pages", multiple=True, type=click.Path(path_type=Path, exists=True), help="Files of pages.")
@click.option("--learner", "learners", multiple=True, help="Only this candidate; repeatable.")
@click.option("--way", "ways", multiple=True, type=click.Choice(("unrun", "run")), default=("unrun", "run"))
@click.option("--target-fps", multiple=True, type=float, default=(60.0, 45.0, 30.0), show_default=True)
@click.option("--margin", default=0.0, show_default=True, help="Headroom on the target in percent.")
@click.option("--no-energy", is_flag=True, help="Errors only.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(
    records: tuple[Path, ...],
    pages: tuple[Path, ...],
    learners: tuple[str, ...],
    ways: tuple[str, ...],
    target_fps: tuple[float, ...],
    margin: float,
    no_energy: bool,
    seed: int,
    json_path: Path | None,
) -> None:
    """Print errors on left-out families and what governing by predictions saves."""
    records = records or tuple(sorted(KEPT.glob("*.jsonl.gz")))
    pages = pages or tuple(sorted(KEPT.glob("*pages*.jsonl")))
    if not records:
        raise click.ClickException(
            f"no records in {KEPT}; give files of records: edgekit web profile makes them"
        )
    try:
        rows, _ = measured(read_records(records), include_unstable=True)
        known = read_pages(pages)
    except EdgekitError as err:
        raise click.ClickException(str(err)) from err
    errors: list[dict[str, Any]] = []
    energies: list[dict[str, Any]] = []
    grid: list[dict[str, Any]] = []
    for target, kind in dict.fromkeys((row.target, row.kind) for row in rows):
        mine = [row for row in rows if (row.target, row.kind) == (target, kind)]
        for way in ways:
            try:
                study = ErrorStudy.of(way, mine, known, learners or None, seed)
            except ValueError as err:
                note(f"{kind} on {target}, {way}: {err}")
                continue
            errors += study.rows()
            if not no_energy and (len(ways) == 1 or way == "run"):
                energies += energy_rows(study, target_fps, margin)
                grid += grid_rows(study, target_fps)
            note(f"{kind} on {target}, {way}: done")
    if not errors:
        raise click.ClickException("too few pages for any kind of gesture; measure more")
    show(ERROR_COLUMNS, [rounded(row) for row in errors])
    for part in dict.fromkeys(row["part"] for row in energies):
        note(f"modelled: frames of {part} pages replayed on power tables")
        show(ENERGY_COLUMNS, [rounded(row) for row in energies if row["part"] == part])
    if grid:
        show(GRID_COLUMNS, [rounded(row) for row in grid])
    ported = _port_rows(rows, known, ways, learners or None, seed)
    if ported:
        show(PORT_COLUMNS, [rounded(row) for row in ported])
    summary = error_summary(errors, rows) | energy_summary(energies)
    if ported:
        summary["port_added_pct"] = sum(row["added_pct"] for row in ported) / len(ported)
    for key, value in summary.items():
        note(f"{key}: {round(value, 2) if isinstance(value, float) else value}")
    write_report(json_path, "web", [*errors, *energies, *grid, *ported], summary)


def _port_rows(
    rows: Sequence[Measured],
    known: Mapping[str, KnownPage],
    ways: Sequence[str],
    learners: Sequence[str] | None,
    seed: int,
) -> list[dict[str, Any]]:
    by_place: dict[str, dict[str, list[Measured]]] = {}
    for row in rows:
        by_place.setdefault(row.kind, {}).setdefault(row.target, []).append(row)
    found = []
    for targets in by_place.values():
        for source, target in itertools.permutations(targets, 2):
            for way in ways:
                row = port_row(way, targets[source], targets[target], known, learners, seed)
                found += [row] if row is not None else []
    return found


if __name__ == "__main__":
    main()
