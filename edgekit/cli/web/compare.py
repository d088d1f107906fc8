"""``edgekit web compare``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import print_json
from edgekit.cli.web._differences import print_differences, read_some

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option("--gesture", "gestures", multiple=True, help="Only this one, such as scroll-1800; repeatable.")
@click.option("--cluster", "clusters", multiple=True, help="Only on this cluster; repeatable.")
@click.option(
    "--max-slowdown",
    type=options.Share(),
    metavar="5%",
    help="Exit 3 unless it is shown that frames come at most so much later.",
)
@click.option(
    "--min-fps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="55",
    help="Exit 3 unless AFTER shows as many frames a second on the fastest core measured.",
)
@click.option("--at-every-setting", is_flag=True, help="--min-fps holds at every setting measured.")
@click.option(
    "--max-energy",
    type=options.Share(),
    metavar="+5%",
    help="Exit 3 unless it is shown that gestures take at most so much more energy.",
)
@options.table_options
def compare(
    before: Path, after: Path, gestures: tuple[str, ...], clusters: tuple[str, ...],
    max_slowdown: float | None, min_fps: float | None, at_every_setting: bool, max_energy: float | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Say how gestures on a page changed between two files of records of `edgekit web bench`.

    Changes are those of AFTER against BEFORE, with their 95 % intervals: the time from one displayed frame
    to the next, the CPU work of a frame, and the energy of a second of the gesture.

    \b
    Example:
      edgekit web compare before.jsonl after.jsonl --max-slowdown 5% --min-fps 55 --max-energy +5%
    """
    from runtime.measure.compare import check_energy, check_fps, check_slowdown, compare_gestures

    found = compare_gestures(read_some(before, gestures, clusters), read_some(after, gestures, clusters))
    if as_json:
        print_json(found)
    else:
        print_differences(found)
    if max_slowdown is not None:
        check_slowdown([each.frame for each in found], max_slowdown)
    if min_fps is not None:
        check_fps(found, min_fps, at_every_setting)
    if max_energy is not None:
        check_energy([each.frame for each in found], max_energy)
