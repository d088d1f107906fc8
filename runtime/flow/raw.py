"""Tensors as a ``.npz`` archive, written without NumPy: a small board's outputs for a post-step elsewhere."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from runtime.bundle import write_atomic
from runtime.engines.array import ITEM_BYTES, Array
from runtime.errors import DataError

_KINDS = {"bool": "b", "int": "i", "uint": "u", "float": "f"}


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write ``arrays`` to ``path`` as ``numpy.savez`` does, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", _npy(array))
    try:
        write_atomic(path, data.getvalue())
    except OSError as err:
        raise DataError(f"{path} cannot be written ({err.strerror}); choose another --raw") from err


def _npy(array: Array) -> bytes:
    """Return the array in NumPy's format 1.0: magic, length of the header, header, values."""
    order = "<" if sys.byteorder == "little" else ">"
    kind = _KINDS[array.dtype.rstrip("0123456789")]
    descr = f"{'|' if ITEM_BYTES[array.dtype] == 1 else order}{kind}{ITEM_BYTES[array.dtype]}"
    header = repr({"descr": descr, "fortran_order": False, "shape": tuple(array.shape)})
    padding = -(10 + len(header) + 1) % 64  # values begin at a multiple of 64 bytes
    text = f"{header}{' ' * padding}\n".encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + array.data
