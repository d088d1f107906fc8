"""Text, pictures and shapes for pages: the same ones wherever and whenever they are made."""

from __future__ import annotations

import functools
import random
import struct
import zlib

_TEXT = """
account answer battery before between bridge careful city clock corner country decide different
early energy engine evening every field figure follow forest garden glass harbour history island
journey kitchen language letter light machine market measure minute morning mountain nature number
office paper pattern people picture place question quiet reason record river second simple station
street summer sunday table teacher thing together train travel under valley village visit water
weather window winter
"""
_WORDS = _TEXT.split()


def words(seed: int, count: int) -> str:
    """Return ``count`` words that make no sense, always the same ones for a seed."""
    # `random()` alone is promised to give the same numbers in every version of Python.
    source = random.Random(seed)
    picked = [_WORDS[int(source.random() * len(_WORDS))] for _ in range(count)]
    return " ".join(picked).capitalize() + "."


def numbers(seed: int, count: int, most: float) -> list[float]:
    """Return ``count`` numbers from 0 to ``most``, always the same ones for a seed."""
    source = random.Random(seed)
    return [round(source.random() * most, 1) for _ in range(count)]


def path(seed: int, points: int, width: float, height: float) -> str:
    """Return an SVG path of ``points`` curves inside a box."""
    at = numbers(seed, points * 4 + 2, 1.0)
    curves = " ".join(
        f"Q{at[i] * width:.0f} {at[i + 1] * height:.0f} {at[i + 2] * width:.0f} {at[i + 3] * height:.0f}"
        for i in range(2, len(at), 4)
    )
    return f"M{at[0] * width:.0f} {at[1] * height:.0f} {curves}"


@functools.cache
def png(seed: int, width: int, height: int) -> bytes:
    """Return a PNG of coloured grain, small as a file and large once it is decoded.

    Args:
        seed: other seeds give other pictures.
        width, height: in pixels.
    """
    tile = bytes(int(each) for each in numbers(seed, 3 * 256, 255.0))
    rows = bytearray()
    for y in range(height):
        shift = (y * 7 + seed * 13) % len(tile)
        line = (tile[shift:] + tile[:shift]) * (width * 3 // len(tile) + 1)
        rows.append(0)  # no filter
        rows += line[: width * 3]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
