"""Films of gestures as they are kept beside records: a file each, replaced when it is filmed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json, read_regular
from runtime.bundle.names import slug
from runtime.device.setting import Setting
from runtime.errors import DataError
from runtime.web.frames.filmstrip import Picture

_FOLDER = "filmstrips"
_JPEG = b"\xff\xd8\xff"
_MOST_PICTURES, _MOST_BYTES = 64, 4 << 20
_ADVICE = "film it again: edgekit web bench --filmstrip --again"


FilmKey = tuple[str, str, str, Setting]  # page, its digest, gesture and setting


@dataclass(frozen=True)
class Film:
    """What a gesture on a page looked like under one setting.

    Attributes:
        page, sha256: name and digest of the page, as in its records.
        gesture: its name.
        target: that it ran on.
        pictures: at equal times.
    """

    page: str
    sha256: str
    gesture: str
    setting: Setting
    pictures: tuple[Picture, ...]
    target: str = ""

    def __post_init__(self) -> None:
        if len(self.pictures) > _MOST_PICTURES or not all(p.jpeg.startswith(_JPEG) for p in self.pictures):
            raise ValueError(
                f"it has {len(self.pictures)} pictures; at most {_MOST_PICTURES} JPEGs are shown"
            )

    @property
    def key(self) -> FilmKey:
        """What was filmed."""
        return self.page, self.sha256, self.gesture, self.setting


def keep_film(folder: Path, film: Film) -> Path:
    """Write ``film`` below ``folder``, in place of an earlier one of the same run, and return its file."""
    key = f"{film.page}\n{film.gesture}\n{film.setting}"
    path = folder / _FOLDER / slug(film.target) / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.encode(film))
    return path


def read_films(folder: Path) -> Iterator[Film]:
    """Yield the films below ``folder``.

    Raises:
        DataError: a file is none.
    """
    for path in sorted((folder / _FOLDER).glob("*/*.json")):
        data = read_regular(path, advice=_ADVICE, error=DataError, most_bytes=_MOST_BYTES)
        yield decode_json(data, Film, where=f"{path} is no film", advice=_ADVICE)
