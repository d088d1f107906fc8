"""A folder for readers to work in, with traps around it: what they touch beside what is theirs is noted."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.device.soc import loader

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2}
_CHANGES |= {"os.truncate": 1, "os.chmod": 1, "os.chown": 1}
_FREE = ("/dev/null", "/dev/tty", "/proc/self/")


class Arena:
    """Notes every file outside ``given`` that is changed, and every one in ``outside`` that is opened.

    Attributes:
        given: the folder the readers were asked to work in.
        paths: texts that lead into traps, for whoever joins a path to a folder or opens what a file names.
    """

    def __init__(self, root: Path):
        self.given, self._outside = root / "given", root / "outside"
        self._own = [root / name for name in ("given", "tmp", "state")]
        for folder in (*self._own, self._outside):
            folder.mkdir(parents=True)
        (self._outside / "secret.txt").write_text("secret")
        (self._outside / "soc.toml").write_bytes((loader._FOLDER / "gs101.toml").read_bytes())
        os.mkfifo(self._outside / "pipe")
        outside = str(self._outside)
        self.paths = (
            *(f"{outside}/secret.txt", "../outside/secret.txt", "../../outside/new"),
            *(f"virtual:{outside}/soc.toml", f"file://{outside}/secret.txt", f"{outside}/pipe"),
            *("/dev/zero", "/etc/passwd", ".", "..", "a\0b", "~/x"),
        )
        self._touched: list[tuple[str, bool]] = []

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch what this process opens and changes inside the block."""
        global _watching
        home, before, folder = os.getcwd(), dict(os.environ), tempfile.tempdir
        state, temporary = str(self._own[2]), str(self._own[1])
        os.environ |= {"HOME": str(self._outside), "TMPDIR": temporary}
        os.environ |= {f"XDG_{name}_HOME": state for name in ("STATE", "CACHE", "CONFIG", "DATA")}
        tempfile.tempdir = temporary  # it looks at TMPDIR once
        os.chdir(self.given)
        if not _hooked:
            sys.addaudithook(_on_event)
            _hooked.append(True)
        _watching = self
        try:
            yield
        finally:
            _watching = None
            tempfile.tempdir = folder
            os.chdir(home)
            os.environ.clear()
            os.environ |= before

    def touched(self, *, only_changes: bool = False) -> list[str]:
        """Return what was touched outside since the last call."""
        found, self._touched = self._touched, []
        return [text for text, is_change in found if is_change or not only_changes]

    def note(self, event: str, path: Any, is_change: bool) -> None:
        """Note a path that this process opens or changes, if it is none of the readers' business."""
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path).split("\0")[0] or ".")
        is_trap = Path(full).is_relative_to(self._outside)
        is_own = any(Path(full).is_relative_to(own) for own in self._own) or full.startswith(_FREE)
        if is_trap or (is_change and not is_own):
            self._touched.append((f"{event} {full}", is_change))


_watching: Arena | None = None
_hooked: list[bool] = []


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    arena = _watching
    if arena is None:
        return
    if event == "open":
        path, mode, flags = arguments
        is_change = bool((flags or 0) & _WRITES) or any(letter in (mode or "") for letter in "wax+")
        arena.note(event, path, is_change)
    elif event in _CHANGES:
        for path in arguments[: _CHANGES[event]]:
            arena.note(event, path, is_change=True)
