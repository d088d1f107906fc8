"""Kill commands at random moments, run them again: is all there? ``python -m tests.benchmarks.killed``.

What ``faults`` does to held clocks, this does to files: training, pruning, export, push, lab, emulation. Each
round kills one command, alone or with every process it started, and runs it again as a user would; that is
killed too, up to three times in all, until one comes to its end. Then nothing that was finished may be lost,
nothing half-written may have passed for whole, and there are just the files that an undisturbed run leaves:
no staging folder, no temporary file, no process.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psutil

from edgekit.cli._output import note
from runtime.device.emulation.namespace import probe
from runtime.errors import EdgekitError
from tests.benchmarks._killed_jobs import Job, make_jobs
from tests.benchmarks._killed_place import Place, machine, open_place
from tests.benchmarks._table import show, write_report

_COLUMNS = {
    "job": "command",
    "tried": "killed",
    "lost": "lost",
    "half": "half taken for whole",
    "left_behind": "files left",
    "processes": "processes left",
    "changed": "machine changed",
    "failed": "failed again",
    "seconds": "s",
}
_COUNTS = tuple(_COLUMNS)[2:-1]
PROGRAM = ("-m", "edgekit")
_LIMIT_S = 180.0
_KILLS = 3  # of one round: what a command left is gone on with, and killed, before it may end
_LEAST_S = 0.2  # of the moments that are drawn from


@dataclass
class Found:
    """What a round found wrong: a line each, by column."""

    lines: dict[str, list[str]] = field(default_factory=dict)

    def add(self, column: str, line: str) -> None:
        self.lines.setdefault(column, []).append(line)


@dataclass(frozen=True)
class Undisturbed:
    """How long a command takes, and what files it leaves."""

    seconds: float
    files: set[str]


def run(place: Place, job: Job, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a job's command to its end; one that does not end is killed, and gives the status of that."""
    command = [sys.executable, *PROGRAM, *job.words, *more]
    try:
        return subprocess.run(
            command, cwd=place.work, env=place.environment(), timeout=_LIMIT_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        said = (err.stderr or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, -9, "", f"does not end; its last words: {said}")


def run_undisturbed(place: Place, job: Job) -> Undisturbed:
    """Run a job from an empty cache, then with a full one, which is what is timed.

    Raises:
        RuntimeError: it fails, undisturbed.
    """
    for keep_cache in (False, True):
        place.clear(keep_cache)
        shutil.rmtree(place.home, ignore_errors=True)
        job.prepare(place.work)
        begin_s = time.monotonic()
        done = run(place, job)
        seconds = time.monotonic() - begin_s
        if done.returncode != 0 or not job.is_complete(place.work):
            raise RuntimeError(f"edgekit {' '.join(job.words)}: {done.returncode}: {done.stderr[-600:]}")
    return Undisturbed(seconds, place.files())


def kill_round(
    place: Place, job: Job, usual: Undisturbed, draw: random.Random, most: int = _KILLS
) -> tuple[int, Found]:
    """Kill the command and what goes on with it, up to ``most`` times, then let it end.

    Returns:
        How often it was killed, fewer where it came to its end before; what was wrong.
    """
    found, before = Found(), machine()
    place.clear(keep_cache=draw.random() < 0.75)
    if draw.random() < 0.5:
        shutil.rmtree(place.home, ignore_errors=True)
    job.prepare(place.work)
    kills, done = list[str](), set[str]()
    while len(kills) < most:
        killed = _kill_once(place, job, usual, draw, _resuming(job) if kills else ())
        if killed is None:
            break
        kills.append(killed)
        for name in place.wait_for_end():
            found.add("processes", name)
        done |= _finished(place, job, found)
    if not kills:
        return 0, found
    again = run(place, job, *_resuming(job))
    if "start it without --resume" in again.stderr:
        again = run(place, job)
    if again.returncode != 0:
        found.add("failed", again.stderr[-600:])
    for line in done - _finished(place, job, found):
        found.add("lost", line[:200])
    with contextlib.suppress(EdgekitError):
        if not job.is_complete(place.work):
            found.add("lost", "not complete after the last run")
    for name in place.wait_for_end():
        found.add("processes", name)
    files = place.files()
    for name in sorted(files - usual.files):
        found.add("left_behind", name)
    for name in sorted(usual.files - files):
        found.add("lost", f"file {name}")
    if machine() != before:
        found.add("changed", "clocks or mounts")
    for column, lines in found.lines.items():
        note(f"{column} ({'; '.join(kills)}): {'; '.join(lines)}")
    return len(kills), found


def _kill_once(
    place: Place, job: Job, usual: Undisturbed, draw: random.Random, more: tuple[str, ...]
) -> str | None:
    """Return when and how it was killed; ``None`` where it ended before."""
    is_aimed, moment, is_alone = draw.random() < 0.5, draw.random(), draw.random() < 0.5
    with subprocess.Popen(
        [sys.executable, *PROGRAM, *job.words, *more], cwd=place.work, env=place.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        begin_s = time.monotonic()
        if is_aimed:
            _wait_for_files(place, process)
        left_s = max(usual.seconds - (time.monotonic() - begin_s), _LEAST_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment * left_s)
            return None
        killed_s = time.monotonic() - begin_s
        others = [] if is_alone else place.processes()
        for victim in (process, *others):
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
    return f"{killed_s:.2f} s, {'alone' if is_alone else 'with all'}"


def _resuming(job: Job) -> tuple[str, ...]:
    return ("--resume",) if job.resumes else ()


def _wait_for_files(place: Place, process: subprocess.Popen[bytes]) -> None:
    """Wait until the command begins to write: half of the kills are aimed at what comes then."""
    before = place.files()
    while process.poll() is None and not place.files() - before:
        time.sleep(0.01)


def _finished(place: Place, job: Job, found: Found) -> set[str]:
    try:
        return job.finished(place.work)
    except EdgekitError as err:
        found.add("half", str(err))
        return set()


def campaign(place: Place, jobs: dict[str, Job], kills: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row per command, which is killed ``kills`` times, at moments that ``seed`` draws."""
    for name, job in jobs.items():
        usual, draw = run_undisturbed(place, job), random.Random(f"{seed}/{name}")
        begin_s, tried, rows = time.monotonic(), 0, list[Found]()
        while tried < kills:
            killed, found = kill_round(place, job, usual, draw, min(_KILLS, kills - tried))
            tried += killed
            rows.append(found)
            note(f"{name}: {tried} of {kills} killed")
        counts = {column: sum(column in one.lines for one in rows) for column in _COUNTS}
        yield {"job": name, "tried": tried, **counts, "seconds": round(time.monotonic() - begin_s)}
        note(f"{name}: {counts}")


def train_once(place: Place) -> Path:
    """Return a checkpoint to prune."""
    job = make_jobs(place.folder, place.home)["train"]
    run_undisturbed(place, job)
    return Path(shutil.copytree(place.work / "run", place.folder / "trained"))


@click.command()
@click.option("--kills", type=click.IntRange(min=1), default=6, show_default=True, help="Of each command.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random moments.")
@click.option("--only", default="", help="Only commands that begin with this.")
@click.option("--json", "out", type=click.Path(path_type=Path), default=None, help="Write the report here.")
def main(kills: int, seed: int, only: str, out: Path | None) -> None:
    """Kill train, prune, export, push, lab and emulate at random moments, and run each again."""
    with open_place() as place:
        jobs = {
            name: job
            for name, job in make_jobs(place.folder / "trained", place.home).items()
            if name.startswith(only)
        }
        if "prune" in jobs:
            train_once(place)
        if place.phone is None and jobs.pop("push", None):
            note("push: left out: sshd is not installed")
        can_emulate, reason = probe()
        if not can_emulate and jobs.pop("emulate", None):
            note(f"emulate: left out: {reason}")
        rows = list(campaign(place, jobs, kills, seed))
    show(_COLUMNS, rows)
    summary = {column: sum(row[column] for row in rows) for column in ("tried", *_COUNTS)}
    write_report(out, "killed", rows, summary)
    sys.exit(0 if not any(summary[column] for column in _COUNTS) else 1)


if __name__ == "__main__":
    main()
