"""Damage whatever edgekit reads, and count how it takes that: ``python -m tests.benchmarks.fuzz``.

Clean is a mutation that was accepted or answered with one error of ours. All else is a finding, kept in a
folder of its surface: ``--replay FILE`` tries it again and shows the traceback.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import note
from tests.benchmarks._table import show, write_report
from tests.benchmarks.fuzz.arena import Arena
from tests.benchmarks.fuzz.campaign import Watched
from tests.benchmarks.fuzz.surface import SURFACES, Sample
from tests.benchmarks.fuzz.surfaces import load
from tests.benchmarks.fuzz.trial import Finding, try_one

_COUNTS = {"tracebacks": "traceback", "signals": "signal", "hangs": "hang", "outside_files": "outside"}
_COLUMNS = {"surface": "surface", "tried": "tried", "clean": "clean"} | {
    name: name.replace("_", " ") for name in _COUNTS
}


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True, help="For all surfaces together.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the mutations.")
@click.option("--surface", "wanted", multiple=True, help="Only this surface; repeatable.")
@click.option("--findings", type=click.Path(path_type=Path), default=Path("fuzz-findings"), show_default=True)
@click.option("--replay", type=click.Path(path_type=Path, exists=True), help="Try a finding again.")
@click.option("--json", "out", type=click.Path(path_type=Path), default=None, help="Write the report here.")
def main(
    minutes: float, seed: int, wanted: tuple[str, ...], findings: Path, replay: Path | None, out: Path | None
) -> None:
    """Try mutations on every surface; exit 1 where one was not taken cleanly."""
    load()
    if replay is not None:
        sys.exit(_replay(replay))
    names = [name for name in SURFACES.names() if not wanted or name in wanted]
    whole = sum(SURFACES.get(name).share for name in names)
    rows = []
    for name in names:
        seconds = 60 * minutes * SURFACES.get(name).share / whole
        watched = Watched(name, seed, seconds)
        for found in watched.findings():
            note(f"{name}: {found.kind}: {_last_line(found)}: {_keep(found, findings)}")
        rows.append(_row(watched))
        note(f"{name}: {watched.tried} tried, {dict(watched.kinds) or 'all clean'}")
    summary = {name: sum(row[name] for row in rows) for name in ("tried", "clean", *_COUNTS)}
    show(_COLUMNS, [*rows, {"surface": "all", **summary}])
    write_report(out, "fuzz", rows, summary)
    sys.exit(0 if summary["clean"] == summary["tried"] else 1)


def _row(watched: Watched) -> dict[str, Any]:
    counts = {name: watched.kinds[kind] for name, kind in _COUNTS.items()}
    return {
        "surface": watched.name,
        "tried": watched.tried,
        "clean": watched.tried - len(watched.unclean),
        **counts,
    }


def _last_line(found: Finding) -> str:
    return (found.detail.strip().splitlines() or [""])[-1][:200]


def _keep(found: Finding, folder: Path) -> Path:
    path = folder / found.surface / f"{found.sample.replace('/', '_')}@{found.number}-{found.kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found.data)
    path.with_name(f"{path.name}.txt").write_text(found.detail, errors="replace")
    return path


def _replay(path: Path) -> int:
    name, wanted, data = path.parent.name, path.name.rpartition("@")[0], path.read_bytes()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        arena = Arena(Path(folder))
        with arena.watched():
            prepared = SURFACES.get(name).prepare(arena.given)
            arena.touched()
            fits = [one for one in prepared.samples if one.name.replace("/", "_") == wanted]
            sample: Sample = (fits or list(prepared.samples))[0]
            found = list(try_one(prepared, arena, name, 0, sample, data))
            prepared.close()
    for one in found:
        click.echo(f"{one.kind}:\n{one.detail}")
    if not found:
        click.echo("clean")
    return 1 if found else 0


if __name__ == "__main__":
    main()
