"""A Python for a device whose own is too old: a standalone build, sent from here and unpacked there.

JetPack 5 has Python 3.8 and Raspberry Pi OS of 2021 has 3.9, for which there is no wheel of today's LiteRT:
with an older one their figures would not compare with those of other boards. No package registry has an
interpreter to download, so the user gives one; python-build-standalone's run where glibc is 2.17 or newer.
"""

from __future__ import annotations

import gzip
import re
import shlex
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from runtime.bundle.digest import file_sha256
from runtime.errors import DataError, DeviceStableError
from runtime.targets.ssh.device_files import DeviceFiles

_PROGRAM = re.compile(r"(?:(.*)/)?bin/python3\.\d+")
# e_machine of an ELF header (elf.h) as `uname -m` calls it.
_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x28: "armv7l", 0xF3: "riscv64", 0x03: "i686"}
_SKIPPED = {"__pycache__", "test", "idlelib", "tkinter", "turtledemo"}
_UNPACK = r"""
set -e
cd {home}
mkdir -p pythons
rm -rf {place} {place}.new
mkdir {place}.new
tar -xzf objects/{sha256} -C {place}.new
mv {source} {place}
[ -e {place}/bin/python3 ] || ln -s {program} {place}/bin/python3
{place}/bin/python3 -I -c 'import ctypes, ssl, venv, zlib'
touch {place}/complete
rm -rf {place}.new objects/{sha256}
"""


def send_python(files: DeviceFiles, given: Path) -> str:
    """Return the path on the device of the interpreter in ``given``, unpacked there unless it is already.

    Args:
        given: a ``.tar.gz`` of a standalone CPython, or its folder.

    Raises:
        DataError: it is neither.
        DeviceStableError: it is for another machine, or does not run there.
    """
    with tempfile.TemporaryDirectory() as temporary:
        archive = _pack(given, Path(temporary) / f"{given.name}.tar.gz") if given.is_dir() else given
        top, program = _look_inside(given, archive, files.shell("uname -m").strip(), files.where)
        sha256 = file_sha256(archive)
        place = f"pythons/{sha256[:12]}"
        home = shlex.quote(files.home)
        if not files.shell(f"test -e {home}/{place}/complete && echo yes || true"):
            files.send(archive, sha256)
            script = _UNPACK.format(
                home=home,
                place=place,
                sha256=sha256,
                source=shlex.quote(f"{place}.new" if top == "." else f"{place}.new/{top}"),
                program=shlex.quote(program),
            )
            try:
                files.shell(script)
            except DeviceStableError as err:
                raise DeviceStableError(
                    f"the Python of {given} does not run on {files.where} ({err}); give a build for its C "
                    "library, with ctypes, ssl, venv and zlib"
                ) from err
    return f"{files.home}/{place}/bin/python3"


def _look_inside(given: Path, archive: Path, arch: str, where: str) -> tuple[str, str]:
    """Return the folder of an interpreter in an archive, ``.`` for the top, and the name of its program."""
    advice = "give an install_only .tar.gz of python-build-standalone, or the folder of one"
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if (found := _PROGRAM.fullmatch(member.name)) and member.isfile():
                    stream = tar.extractfile(member)
                    header = b"" if stream is None else stream.read(20)
                    break
            else:
                raise DataError(f"{given} holds no bin/python3.N; {advice}")
    except (OSError, EOFError, tarfile.TarError, ValueError) as err:
        raise DataError(f"{given} is no .tar.gz that can be read ({err}); {advice}") from err
    code = int.from_bytes(header[18:20], "little")
    if header[:4] != b"\x7fELF":
        raise DataError(f"{member.name} in {given} is no program for Linux; {advice}")
    built_for = _MACHINES.get(code, f"machine {code:#x}")
    if built_for != arch and not (arch.startswith("arm") and built_for == "armv7l"):
        raise DeviceStableError(
            f"the Python in {given} is for {built_for}, {where} is {arch}; get the one for {arch}"
        )
    top = found[1] or "."
    if PurePosixPath(top).is_absolute() or ".." in PurePosixPath(top).parts:
        raise DataError(f"{given} would be unpacked outside of its folder ({top!r}); {advice}")
    return top, PurePosixPath(member.name).name


def _pack(folder: Path, archive: Path) -> Path:
    """Write ``folder`` as a ``.tar.gz``: equal files give equal bytes, so that it is sent only once."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if _SKIPPED & set(PurePosixPath(member.name).parts):
            return None
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with (
        gzip.GzipFile(archive, "wb", compresslevel=6, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for path in sorted(folder.iterdir()):
            tar.add(path, f"python/{path.name}", filter=plain)
    return archive
