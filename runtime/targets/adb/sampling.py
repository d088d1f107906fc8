"""Small files of a phone, read on it over and over while work runs, with the time of each look."""

from __future__ import annotations

import contextlib
import re
import shlex
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runtime.errors import DeviceError
from runtime.targets.adb.facts import split_sections
from runtime.targets.adb.leftovers import LOOP, keep, left_behind
from runtime.targets.adb.runner import FOLDER
from runtime.targets.adb.shell import AdbShell

INTERVAL_S = 0.2  # a fuel gauge has a new value about once a second, Pixel's rails more often
_BEGINS_LOOKS = 50  # of 0.1 s, in which the first look is waited for
MOST_S = 600.0  # a benchmark program may take as long
UPTIME = re.compile(r"\d{1,10}\.\d{1,6}")
# Read by the shell itself: a program for each file and look would be load of its own.
_LOOK = 'while IFS= read -r l; do echo "$l"; done < "$f"'
_MOMENT = re.compile(r"^@@ t (\d{1,10}\.\d{1,6})[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Look:
    """What files held at one moment, by path; ``time_s`` is the phone's uptime."""

    time_s: float
    files: dict[str, str]


@dataclass
class Watch:
    """Looks at a phone's files; complete once the block of ``watching`` is left."""

    looks: list[Look] = field(default_factory=list)
    fault: str | None = None


@dataclass
class Followed:
    """What a command printed over and over; complete once the block of ``following`` is left."""

    text: str = ""
    fault: str | None = None


@contextlib.contextmanager
def following(
    shell: AdbShell, look: str, every_s: float, *, as_root: bool, most_s: float = MOST_S
) -> Iterator[Followed]:
    """Run ``look`` on the phone over and over while the block runs; no fault of that reaches the work.

    What a killed process of ours left running there is ended first.

    Args:
        look: lines of sh that print what there is to see.
        every_s: pause between two looks; the first is taken before the block, the last after it.
        most_s: after which it ends by itself: this machine may be gone.

    Raises:
        DeviceTransientError: the phone is gone before the block.
    """
    followed, mark = Followed(), f"{FOLDER}/{uuid.uuid4().hex[:12]}.watch"
    for left in left_behind(shell.serial, LOOP):
        shell.run(f"rm -f {shlex.quote(left)}")
    kept = keep(shell.serial, LOOP, mark)
    shell.run(f"mkdir -p {FOLDER}; : > {mark}")
    loop = (
        f"{{ {look}; }} 2>/dev/null; [ -e {mark} ] && echo 1 > {mark}; i=0; "
        f"while [ -e {mark} ] && [ $i -lt {int(most_s / every_s)} ]; do sleep {every_s:g}; "
        f"{{ {look}; }} 2>/dev/null; i=$((i+1)); done; {{ {look}; }} 2>/dev/null; true"
    )

    def follow() -> None:
        try:
            followed.text = shell.run(loop, as_root=as_root, timeout_s=2 * most_s)
        except DeviceError as err:
            followed.fault = str(err)

    thread = threading.Thread(target=follow, name="edgekit-adb-follow", daemon=True)
    thread.start()
    try:
        shell.run(f"i=0; while [ ! -s {mark} ] && [ $i -lt {_BEGINS_LOOKS} ]; do sleep 0.1; i=$((i+1)); done")
        yield followed
    finally:
        with contextlib.suppress(DeviceError):  # the phone is gone: the loop ends by itself
            shell.run(f"rm -f {mark}")
            kept.unlink(missing_ok=True)
        thread.join(30.0)


@contextlib.contextmanager
def watching(shell: AdbShell, paths: Sequence[str], *, as_root: bool) -> Iterator[Watch]:
    """Read ``paths`` on the phone while the block runs; no fault of that reaches the work.

    Raises:
        DeviceTransientError: the phone is gone before the block.
    """
    watch = Watch()
    files = " ".join(map(shlex.quote, paths))
    look = f'echo "@@ t $(cat /proc/uptime)"; for f in {files}; do echo "@@ $f"; {_LOOK}; done'
    with following(shell, look, INTERVAL_S, as_root=as_root) as followed:
        yield watch
    watch.looks, watch.fault = parse_looks(followed.text, paths), followed.fault


def parse_looks(text: str, paths: Sequence[str]) -> list[Look]:
    """Return the looks that a phone printed; what it was not asked for is left out.

    Example:
        >>> parse_looks("@@ t 7.25 1.0\\n@@ /sys/a\\n12\\n", ["/sys/a"])
        [Look(time_s=7.25, files={'/sys/a': '12'})]
    """
    parts = _MOMENT.split(text)
    looks = []
    for time_text, body in zip(parts[1::2], parts[2::2], strict=True):
        sections = split_sections(body)
        looks.append(Look(float(time_text), {path: sections[path] for path in paths if path in sections}))
    return looks
