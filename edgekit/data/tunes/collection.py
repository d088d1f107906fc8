"""Collections of tunes: those that come with music21, a folder of ABC or MIDI files, or drawn ones."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.data.download import cache_folder
from edgekit.data.tunes.abc import parse_tune, split_tunes
from edgekit.data.tunes.copies import without_copies
from edgekit.data.tunes.drawn import draw_tunes
from edgekit.data.tunes.grid import STEPS_PER_BAR, events_of, onsets_of
from edgekit.data.tunes.midi import parse_midi
from runtime.bundle.staging import staging_file
from runtime.errors import DataError, MissingExtra
from runtime.extras import install_line

COLLECTIONS = ("essen", "ryan", "drawn", "folder")
# Essen's songs are for non-commercial use only; they stay in the music21 that the user installs.
_FOLDERS = {"essen": "essenFolksong", "ryan": "ryansMammoth"}
_READER = 2  # raise it when a change reads other events from the same files
_MIDI = (".mid", ".midi")
_LEAST_BARS = 4  # fewer are a signal, not a tune
_TEST_SHARE = 0.15


@dataclass(frozen=True)
class Tunes:
    """Tunes in 4/4 on a sixteenth grid, in C or A minor.

    Attributes:
        train, test: events of each tune, int16, whole bars (``edgekit.data.tunes.grid``).
        described: what they are and how many were left out, for people.
    """

    train: tuple[np.ndarray, ...]
    test: tuple[np.ndarray, ...]
    described: str


def load_tunes(*names: str, root: str | Path | None = None, seed: int = 0) -> Tunes:
    """Return tunes, split by tune; those of training that are copies of one in the test are left out.

    Args:
        names: of ``COLLECTIONS``: ``essen`` and ``ryan`` are read from the music21 that is installed.
        root: of ``folder``: ABC and MIDI files anywhere below it.
        seed: of the split, and of ``drawn``.

    Raises:
        ValueError: unknown name, or ``folder`` without a root.
        MissingExtra: music21 is not installed; says the line to run.
        DataError: no folder, or no tune in it that can be used; says why not.

    Example:
        >>> len(load_tunes("drawn").train[0]) % 16
        0
    """
    events: list[np.ndarray] = []
    described = []
    for name in names or ("essen", "ryan"):
        found, n_all = _collection(name, root, seed)
        described.append(f"{len(found)} of {n_all} tunes of {name}")
        events += found
    order = np.random.default_rng(seed).permutation(len(events))
    n_test = max(1, round(len(events) * _TEST_SHARE))
    test = [events[i] for i in np.sort(order[:n_test])]
    others = [events[i] for i in np.sort(order[n_test:])]
    train = without_copies(others, test)
    if not train:
        raise DataError(f"{described[0]} leave none to train on; give at least two tunes that differ")
    left_out = f"; {len(others) - len(train)} left out as copies of test tunes"
    return Tunes(tuple(train), tuple(test), ", ".join(described) + left_out)


def _collection(name: str, root: str | Path | None, seed: int) -> tuple[list[np.ndarray], int]:
    """Return the events of the tunes of a collection that can be used, and how many there are in all."""
    if name == "drawn":
        drawn = draw_tunes(400, seed)
        return drawn, len(drawn)
    if name == "folder":
        if root is None:
            raise ValueError("tunes of 'folder' need a root; give a folder that holds .abc or .mid files")
        return _read_folder(Path(root))
    if name not in _FOLDERS:
        raise ValueError(f"tunes {name!r} are unknown; allowed: {', '.join(COLLECTIONS)}")
    package = importlib.util.find_spec("music21")  # found, not imported: that takes seconds and matplotlib
    if package is None or package.origin is None:
        raise MissingExtra(
            f"music21, which holds the tunes of {name}, is not here; run: {install_line('tunes')}"
        )
    return _read_folder(Path(package.origin).parent / "corpus" / _FOLDERS[name])


def _read_folder(folder: Path) -> tuple[list[np.ndarray], int]:
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give one that holds .abc or .mid files")
    endings = (".abc", *_MIDI)
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file())
    if not files:
        raise DataError(
            f"{folder} holds no .abc or .mid file; give a folder with tunes in ABC notation or MIDI"
        )
    contents = [path.read_bytes() for path in files]
    digest = hashlib.sha256(b"\0".join([str(_READER).encode(), *contents])).hexdigest()[:16]
    kept = cache_folder("tunes") / f"{digest}.npz"
    if (found := _from_cache(kept)) is not None:
        return found
    tunes, n_all, why = [], 0, "no tune begins with X:"
    for path, content in zip(files, contents, strict=True):
        for events in _events(content, is_midi=path.suffix.lower() in _MIDI):
            n_all += 1
            if isinstance(events, str):
                why = events
            else:
                tunes.append(events)
    if not tunes:
        raise DataError(f"none of {n_all} tunes in {folder} can be used, the last because {why}")
    _keep(kept, tunes, n_all)
    return tunes, n_all


def _events(content: bytes, *, is_midi: bool) -> Iterator[np.ndarray | str]:
    """Yield the events of each tune of a file, or why it cannot be used."""
    read, tunes = (parse_midi, [content]) if is_midi else (parse_tune, split_tunes(_text(content)))
    for tune in tunes:
        try:
            events = events_of(read(tune))
        except ValueError as err:
            yield str(err)
            continue
        n_bars = len(events) // STEPS_PER_BAR
        yield events if n_bars >= _LEAST_BARS and onsets_of(events).any() else f"it has {n_bars} bars"


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def _from_cache(path: Path) -> tuple[list[np.ndarray], int] | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return np.split(stored["events"], stored["ends"][:-1]), int(stored["n_all"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # not there, or cut off: read the tunes again
        return None


def _keep(path: Path, tunes: Sequence[np.ndarray], n_all: int) -> None:
    ends = np.cumsum([len(events) for events in tunes])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staging_file(path) as (temporary, handle):
            with os.fdopen(handle, "wb", closefd=False) as target:
                np.savez_compressed(target, events=np.concatenate(tunes), ends=ends, n_all=n_all)
            temporary.replace(path)
    except OSError as err:
        raise DataError(
            f"cannot write below {path.parent} ({err}); make it writable or set XDG_CACHE_HOME"
        ) from err
