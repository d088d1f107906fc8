"""A surface: samples of what is read there, and the reader that gets them damaged."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.errors import EdgekitError
from runtime.registry import Registry
from tests.benchmarks.fuzz.archives import damage_npy, damage_safetensors, damage_zip
from tests.benchmarks.fuzz.damage import damage_bytes, damage_text
from tests.benchmarks.fuzz.documents import damage_json, damage_json_lines, damage_msgpack

_FORMS = {
    "json": damage_json,
    "jsonl": damage_json_lines,
    "msgpack": damage_msgpack,
    "npy": damage_npy,
    "safetensors": damage_safetensors,
    "text": damage_text,
    "zip": damage_zip,
}
_RAW_SHARE = 0.3  # of mutations that know nothing of the form


@dataclass(frozen=True)
class Sample:
    """What a reader takes: ``form`` is a key of the forms above, or ``binary``."""

    name: str
    data: bytes
    form: str


@dataclass(frozen=True)
class Prepared:
    """A surface at work in a folder.

    Attributes:
        read: gives a damaged sample to the real readers.
        refusals: errors that are the answer one hopes for.
        close: ends what was started.
        names_files: what is read may name files of this machine to open, as a user's own plan does.
    """

    samples: tuple[Sample, ...]
    read: Callable[[Sample, bytes], None]
    refusals: tuple[type[Exception], ...] = (EdgekitError, click.UsageError)
    close: Callable[[], object] = lambda: None
    names_files: bool = False


@dataclass(frozen=True)
class Surface:
    """How to prepare one.

    ``quick`` is how many mutations the fast tests try, ``share`` the part it gets of a campaign's time.
    """

    prepare: Callable[[Path], Prepared]
    quick: int
    share: float


SURFACES: Registry[Surface] = Registry("surface")


def surface(
    name: str, quick: int = 200, share: float = 1.0
) -> Callable[[Callable[[Path], Prepared]], Callable[[Path], Prepared]]:
    """Register a function that prepares a surface in the folder it is given."""

    def register(prepare: Callable[[Path], Prepared]) -> Callable[[Path], Prepared]:
        SURFACES.register(name)(Surface(prepare, quick, share))
        return prepare

    return register


def mutate(sample: Sample, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return the sample damaged.

    Args:
        paths: that lead into traps.
    """
    damage = _FORMS.get(sample.form)
    if damage is None or rng.random() < _RAW_SHARE:
        return damage_bytes(sample.data, rng)
    return damage(sample.data, rng, paths)


class UnsafeText(Exception):
    """A command printed what a terminal would obey."""


def run_command(*words: object) -> None:
    """Run ``edgekit`` with these words, in this process.

    Raises:
        UnsafeText: it printed control or bidi characters.
        Exception: what it did not turn into a line of ours.
    """
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    odd = {char for char in done.stdout + done.stderr if not char.isprintable() and char != "\n"}
    if odd:
        raise UnsafeText(f"edgekit {words[0]} printed {sorted(map(ascii, odd))}")


def sign(folder: Path, path: str, data: bytes) -> None:
    """Put ``data`` at ``path`` of a bundle and into its manifest, as whoever makes a bundle can."""
    import hashlib

    import msgspec

    (folder / path).write_bytes(data)
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        if entry["path"] == path:
            entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the members of an archive."""
    import io

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
