"""Bytes and lines, damaged: what a bad disk does, and what somebody who knows the readers would write."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

DEEP = b"[" * 100_000
DIGITS = b"9" * 6000  # more than Python turns into an integer
INTEGERS = (0, 1, -1, 127, 255, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**63 - 1, 2**63, 2**64, 10**400)
# Moves the cursor, hides, reverses, forges a line of ours: https://trojansource.codes
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\r\x00\nError: forged"
BAD_TEXT = (b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x80", b"\x00", b"\xf5\x80\x80\x80")
TOKENS = (
    *(
        b"",
        b"-1",
        b"0",
        b"1e400",
        b"-1e400",
        b"nan",
        b".inf",
        b"inf",
        b"1" + b"0" * 400,
        DIGITS,
        b"true",
        b"null",
    ),
    *(b"[]", b"{}", b'"' + b"x" * 20_000 + b'"', b'"', b"\\", b"'", b"-", b":", b"..", b"1_000"),
    *(b"&a", b"*a", b"!!python/object/apply:os.getpid []", b"2026-13-01", b"0x7fffffffffffffffffff"),
    ESCAPES.encode(),
)
_TOKEN = re.compile(rb'"[^"\n]*"|[-+.\w]+')


def damage_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with some of its bytes changed, cut out, doubled or put in."""
    return rng.choice(_WAYS)(data, rng)


def damage_text(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return text with a word or a line replaced, moved, removed or doubled, or a path of a trap in it."""
    lines = data.splitlines(keepends=True)
    way = rng.randrange(5)
    if way == 0 and lines:
        lines[rng.randrange(len(lines))] = rng.choice(
            [b"", *(2 * [rng.choice(lines)]), b"\t\n", DEEP + b"\n"]
        )
        return b"".join(lines)
    if way == 1 and lines:
        at = rng.randrange(len(lines))
        return b"".join([*lines[:at], lines[at] * rng.choice([2, 50]), *lines[at + 1 :]])
    words = list(_TOKEN.finditer(data))
    if not words:
        return damage_bytes(data, rng)
    word = rng.choice(words)
    new = rng.choice([*TOKENS, rng.choice(words)[0], *(path.encode() for path in paths)])
    if word[0].startswith(b'"') and rng.random() < 0.7:
        new = b'"' + new.strip(b'"') + b'"'
    return data[: word.start()] + new + data[word.end() :]


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.choice([0, 0xFF, 0x7F, 0x80, rng.randrange(256)])
    return bytes(changed)


def _number(data: bytes, rng: random.Random) -> bytes:
    """Replace a number of 4 or 8 bytes, as lengths and offsets in binary files are."""
    size = rng.choice([2, 4, 8])
    if len(data) < size:
        return data
    at = rng.randrange(0, len(data) - size + 1)
    at -= at % rng.choice([1, size])
    number = rng.choice([*INTEGERS[:-1], rng.randrange(2 * len(data) + 1)])
    return data[:at] + (number % 256**size).to_bytes(size, "little") + data[at + size :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randint(1, 64) :]


def _double(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at : at + rng.randint(1, 64)] * rng.choice([2, 3, 1000]) + data[at:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    new = rng.choice([*BAD_TEXT, DEEP, b'{"a":' * 50_000, DIGITS, b"\n", b"\r", rng.randbytes(16)])
    return data[:at] + new + data[at:]


def _replace_whole(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        [b"", b"\n", b"null", b"[]", b"{}", b"0", DEEP, b"\xef\xbb\xbf" + data, rng.randbytes(99)]
    )


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _overwrite, _overwrite, _number, _number, _cut),
    *(_remove, _double, _insert, _insert, _replace_whole),
)
