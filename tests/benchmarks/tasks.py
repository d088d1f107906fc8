"""What each task's own idea is worth: ``python -m tests.benchmarks.tasks --only face-parsing``.

Each task is trained with some seeds, and so is what its paper compares itself with; scores are those of
decoded results. ``--runs`` keeps what is finished, and goes on with what broke off.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import click

from tests.benchmarks import _face_parsing, _melody
from tests.benchmarks._table import show, write_report

_TASKS = {task.NAME: task for task in (_face_parsing, _melody)}


@click.command(help=__doc__)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--only", default=",".join(_TASKS), show_default=True, help="Tasks, with commas between.")
@click.option("--sizes", default="64,128", show_default=True, help="Sides of pictures in pixels.")
@click.option("--runs", type=click.Path(path_type=Path), help="Folder that keeps what is finished.")
@click.option("--picture", type=click.Path(path_type=Path), help="PNG of faces parsed, at the largest size.")
def main(json_path, seeds, only, sizes, runs, picture) -> None:
    if unknown := set(only.split(",")) - set(_TASKS):
        raise click.UsageError(f"task {min(unknown)!r} is unknown; choose from {', '.join(_TASKS)}")
    if picture and _face_parsing.NAME not in only.split(","):
        raise click.UsageError(f"--picture shows {_face_parsing.NAME}; add it to --only")
    rows, summary = [], {}
    sides = tuple(map(int, sizes.split(",")))
    with nullcontext(runs) if runs else tempfile.TemporaryDirectory() as folder:
        for name in only.split(","):
            found = list(_TASKS[name].rows(Path(folder), seeds, sides))
            columns = {column: column for column in _TASKS[name].COLUMNS}
            show(columns, [{column: _shown(row.get(column)) for column in columns} for row in found])
            summary[name] = _TASKS[name].summary(found)
            rows += found
        if picture:
            _face_parsing.picture(Path(folder), max(sides)).save(picture)
    write_report(json_path, "tasks", rows, summary)


def _shown(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
