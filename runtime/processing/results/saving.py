"""Results as files: the ending of the name says which kind."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.result import Embedding, Mask, Notes, Result
from runtime.errors import DataError
from runtime.processing.results.decoded import Decoded

if TYPE_CHECKING:
    from PIL import Image

_OWN: dict[type, tuple[str, ...]] = {Mask: (".mask.png",), Notes: (".mid", ".midi")}
_PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def check_ending(result: Result, path: Path) -> None:
    """Refuse a file that cannot be made of ``result``, before anything has run.

    Raises:
        DataError: the name's ending says no kind of file that there is of it, or the folder is not there.
    """
    drawn = () if isinstance(result, Embedding) else tuple(_PICTURES)
    allowed = (*_OWN.get(type(result), ()), *drawn, ".json", ".txt")
    if not path.name.lower().endswith(allowed):
        raise DataError(f"{path.name!r} is no file of this result; end it in one of {', '.join(allowed)}")
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {path.parent}; make it first, or choose another -o")


def save_result(decoded: Decoded, path: Path, picture: Image.Image | None = None) -> None:
    """Write ``decoded`` to ``path``, whole or not at all.

    Args:
        path: ``.png`` or ``.jpg`` is drawn over ``picture``, ``.json`` holds its figures, ``.txt`` its rows;
            a mask has ``.mask.png`` too, whose pixels are class numbers, and notes have ``.mid``.

    Raises:
        DataError: the file cannot be written.
    """
    data = _encode(decoded, path, picture)
    try:
        write_atomic(path, data)
    except OSError as err:
        raise DataError(f"{path} cannot be written ({err.strerror}); choose another -o") from err


def _encode(decoded: Decoded, path: Path, picture: Image.Image | None) -> bytes:
    own = decoded.forms()
    for ending, make in own.items():
        if path.name.lower().endswith(ending):
            return make()
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        data = io.BytesIO()
        decoded.draw(picture).save(data, _PICTURES[suffix])
        return data.getvalue()
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(decoded.plain()), indent=1) + b"\n"
    headers, rows = decoded.table()
    return "".join("\t".join(map(str, row)) + "\n" for row in (headers, *rows)).encode()
