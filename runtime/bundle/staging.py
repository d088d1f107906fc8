"""Files and folders in the making: who makes one locks it, so what nobody locks was left by a killed process.

The kernel gives a lock up however its process ends, and knows it across containers, where a process number
says nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_PREFIX = "edgekit-staged-"


@contextlib.contextmanager
def staging_folder(parent: Path | None = None, prefix: str = _PREFIX) -> Iterator[Path]:
    """Yield a new folder that is removed at the end; also remove those that killed processes left.

    Args:
        parent: where; default: the machine's folder for temporary files.
        prefix: of its name: folders of equal prefix are for the same purpose.

    Raises:
        OSError: it cannot be made.
    """
    where = Path(tempfile.gettempdir()) if parent is None else parent
    _clear(where, prefix)

    def make() -> tuple[Path, int]:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
        return made, os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    folder, lock = _locked(make)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def staged_until_exit() -> Path:
    """Return a new folder that is there as long as this process."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(staging_folder())


@contextlib.contextmanager
def staging_file(target: Path) -> Iterator[tuple[Path, int]]:
    """Yield a new file beside ``target``, to be filled and renamed to it, and its descriptor.

    It is removed at the end if it is still there, and so are those that killed processes left.

    Raises:
        OSError: it cannot be made.
    """
    prefix, suffix = f".{target.name}.", ".part"
    _clear(target.parent, prefix, suffix)

    def make() -> tuple[Path, int]:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=target.parent)
        return Path(name), handle

    file, handle = _locked(make)
    try:
        yield file, handle
    finally:
        file.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until nobody else is inside such a block for ``folder``, and keep others out of it."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def swap_in(staging: Path, target: Path) -> None:
    """Rename the folder ``staging`` to ``target``; an old ``target`` goes only when the new one stands.

    One step where kernel and file system can exchange names. Elsewhere a process that is killed between two
    steps leaves ``target`` beside its place; see ``restore_replaced``.

    Raises:
        OSError: the folder cannot be written; ``target`` is as it was.
    """
    if not target.exists():
        staging.rename(target)
    elif not _exchange(staging, target):
        old = _replaced(target)
        target.rename(old)
        try:
            staging.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old)


def restore_replaced(target: Path) -> None:
    """End what a ``swap_in`` that was killed left undone: ``target`` stands again, alone."""
    old = _replaced(target)
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def _replaced(target: Path) -> Path:
    return target.with_name(f".{target.name}.replaced")


def _exchange(one: Path, other: Path) -> bool:
    """Give each the name of the other; return whether this system and file system can."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # glibc from 2.28 on, musl
    here, both = -100, 2  # AT_FDCWD, RENAME_EXCHANGE: include/uapi/linux/{fcntl,fs}.h
    return rename is not None and rename(here, bytes(one), here, bytes(other), both) == 0


def _locked(make: Callable[[], tuple[Path, int]]) -> tuple[Path, int]:
    """Return what ``make`` made, locked by the descriptor."""
    while True:
        try:
            path, lock = make()
        except FileNotFoundError as err:
            if err.filename is None or not Path(err.filename).parent.is_dir():
                raise
            continue  # another took it for left, in the moment before it was locked
        with contextlib.suppress(OSError):  # a file system without locks: nothing is ever cleared there
            fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path, lock
        os.close(lock)


def _clear(parent: Path, prefix: str, suffix: str = "") -> None:
    """Remove what killed processes left in ``parent`` under names with ``prefix`` and ``suffix``."""
    try:
        names = os.listdir(parent)
    except OSError:
        return  # whoever makes something there will say what is wrong
    for name in names:
        if name.startswith(prefix) and name.endswith(suffix):
            with contextlib.suppress(OSError):  # in use, or just gone
                _remove_left(parent / name)


def _remove_left(path: Path) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_uid != os.geteuid():
            return  # /tmp is everybody's
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(lock)
