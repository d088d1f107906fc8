"""Tensors in ``.npy`` and ``.npz`` files, read and written without NumPy: a small board need not have it."""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import ARRAY_ERRORS, refuse_special, why
from runtime.engines.array import ITEM_BYTES, Array
from runtime.errors import DataError

_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float"}
_LETTERS = {name: letter for letter, name in _KINDS.items()}
_ORDER = "<" if sys.byteorder == "little" else ">"
_MAGIC = b"\x93NUMPY"
_MOST_BYTES = 1 << 30
_MOST_HEADER = 10_000  # NumPy's own limit: what is longer takes a parser of Python minutes and gigabytes
_MOST_NAME = 1 << 12  # a .zip holds names of 64 KiB at most


class _Header(msgspec.Struct):
    descr: str  # byte order, kind and bytes of an item, as in <f4
    fortran_order: bool
    shape: tuple[int, ...]


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write ``arrays`` to ``path`` as ``numpy.savez`` does, whole or not at all.

    Raises:
        DataError: it cannot be written, or a name is longer than a ``.npz`` holds.
    """
    if longest := next((name for name in arrays if len(name) > _MOST_NAME), None):
        raise DataError(
            f"an output's name has {len(longest)} letters; a .npz holds {_MOST_NAME}: export it again"
        )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", _encode(array))
    try:
        write_atomic(path, data.getvalue())
    except OSError as err:
        raise DataError(f"{path} cannot be written ({err.strerror}); choose another --raw") from err


def read_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of a ``.npz`` file by name; that of a ``.npy`` file has the name ``""``.

    Raises:
        DataError: it is missing, too large, or holds what is no array of numbers in this machine's order.
    """
    refuse_special(path)
    try:
        if path.suffix == ".npy":
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError(f"it is larger than {_MOST_BYTES} bytes")
            return {"": _decode(path.read_bytes())}
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
                raise ValueError(f"it unpacks to more than {_MOST_BYTES} bytes")
            return {name.removesuffix(".npy"): _decode(archive.read(name)) for name in archive.namelist()}
    except FileNotFoundError as err:
        raise DataError(f"there is no file at {path}; give the path of a .npy or .npz file") from err
    except (*ARRAY_ERRORS, msgspec.ValidationError) as err:
        raise DataError(f"{path} holds no arrays ({why(err)}); write it with numpy.save or savez") from err


def _encode(array: Array) -> bytes:
    """Return the array in NumPy's format 1.0: magic, length of the header, header, values."""
    size = ITEM_BYTES[array.dtype]
    descr = f"{'|' if size == 1 else _ORDER}{_LETTERS[array.dtype.rstrip('0123456789')]}{size}"
    header = repr({"descr": descr, "fortran_order": False, "shape": tuple(array.shape)})
    padding = -(10 + len(header) + 1) % 64  # values begin at a multiple of 64 bytes
    text = f"{header}{' ' * padding}\n".encode("latin-1")
    return _MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text + array.data


def _decode(data: bytes) -> Array:
    width = {b"\x01\x00": 2, b"\x02\x00": 4}.get(data[6:8])  # bytes of the header's length
    if not data.startswith(_MAGIC) or width is None:
        raise ValueError("it is not in NumPy's format 1 or 2")
    begin = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    if begin > _MOST_HEADER:
        raise ValueError(f"its header has {begin} bytes; at most {_MOST_HEADER} are read")
    header = msgspec.convert(ast.literal_eval(data[8 + width : begin].decode("latin-1")), _Header)
    descr = header.descr
    if header.fortran_order or descr[:1] not in (_ORDER, "|"):
        raise ValueError("its values lie in another order; write it with numpy.ascontiguousarray")
    kind, size = _KINDS[descr[1:2]], int(descr[2:])
    array = Array(kind if kind == "bool" else f"{kind}{8 * size}", header.shape, data[begin:])
    if not array.is_whole:
        raise ValueError("its values are not as many as its shape says")
    return array
