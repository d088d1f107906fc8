"""Unpack the site that an archive holds: files only, nothing outside of the folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from runtime.errors import DataError
from runtime.visible import one_line


def unpack_site(archive: Path, root: str, folder: Path, is_wanted: Callable[[str], bool]) -> int:
    """Write the files below ``root`` of an archive into ``folder`` and return how many there were.

    Links and special files are left out: what they point to would be another machine's.

    Args:
        archive: a tar file, compressed or not, or a Debian package.
        root: folder in the archive, as in ``package/dist``.
        folder: exists, and is empty.
        is_wanted: whether a file, by its path below ``root``, is written.

    Raises:
        DataError: it is damaged, or no archive.
    """
    written = 0
    top = PurePosixPath(root)
    try:
        with _tar_stream(archive) as stream, tarfile.open(fileobj=stream, mode="r|*") as members:
            for member in members:
                path = PurePosixPath(member.name)
                if not member.isfile() or not path.is_relative_to(top) or ".." in path.parts:
                    continue
                below = path.relative_to(top)
                if not is_wanted(str(below)):
                    continue
                target = folder / below
                target.parent.mkdir(parents=True, exist_ok=True)
                held = members.extractfile(member)
                if held is not None:
                    with held, open(target, "wb") as out:
                        shutil.copyfileobj(held, out)
                    written += 1
    except (tarfile.TarError, EOFError) as err:
        raise DataError(
            f"{archive.name} cannot be unpacked ({one_line(err)}); remove it and fetch it again"
        ) from err
    return written


@contextlib.contextmanager
def _tar_stream(archive: Path) -> Iterator[IO[bytes]]:
    if archive.suffix != ".deb":
        with open(archive, "rb") as stream:
            yield stream
        return
    if shutil.which("dpkg-deb") is None:
        raise DataError(
            f"{archive.name} is a Debian package, and there is no dpkg-deb here; install it (elsewhere: dpkg)"
        )
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()
