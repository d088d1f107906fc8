"""Documents with values removed, replaced and moved: JSON and msgpack that still parse, mostly."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import msgspec

from tests.benchmarks.fuzz.damage import DIGITS, ESCAPES, INTEGERS

# Stand for what no encoder writes; put in as text afterwards.
_RAW = {"@deep@": "[" * 3000 + "]" * 3000, "@digits@": DIGITS.decode(), "@huge@": "1e999", "@nan@": "NaN"}
_DEEP_PACKED = b"\x91" * 5000 + b"\xc0"


def damage_json(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return the document with one to three of its values damaged.

    Args:
        paths: that lead into traps.
    """
    return write_json(damage(json.loads(data), rng, paths))


def damage_json_lines(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return lines of which one is damaged, lost, doubled or out of its order."""
    lines = data.splitlines()
    at = rng.randrange(len(lines))
    way = rng.random()
    if way < 0.8:
        lines[at] = damage_json(lines[at], rng, paths)
    elif way < 0.9:
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
    else:
        del lines[at]
    return b"\n".join(lines) + b"\n"


def damage_msgpack(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return a message with one to three of its values damaged."""
    damaged = damage(msgspec.msgpack.decode(data), rng, paths)
    try:
        packed = msgspec.msgpack.encode(_fitting(damaged))
    except (TypeError, ValueError, OverflowError):  # lone surrogates
        return data[: rng.randrange(len(data) + 1)]
    return packed.replace(msgspec.msgpack.encode("@deep@"), _DEEP_PACKED)


def damage(document: Any, rng: random.Random, paths: tuple[str, ...]) -> Any:
    """Return a copy of a document of lists, dicts and plain values, damaged in one to three places."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        parts = [part for part in containers(document) if part]
        if not parts:
            return rng.choice([None, [], {}, "", 0])
        _damage_part(rng.choice(parts), rng.choice(parts), rng, paths)
    return document


def write_json(document: Any) -> bytes:
    """Return a document as JSON, with what no encoder writes."""
    text = json.dumps(document, ensure_ascii=False)
    for word, raw in _RAW.items():
        text = text.replace(f'"{word}"', raw)
    return text.encode("utf-8", "surrogatepass")


def _damage_part(part: Any, other: Any, rng: random.Random, paths: tuple[str, ...]) -> None:
    key = rng.choice(list(part) if isinstance(part, dict) else range(len(part)))
    way = rng.random()
    if way < 0.15:
        del part[key]
    elif way < 0.25 and isinstance(part, list):
        part.extend([copy.deepcopy(part[key])] * rng.choice([1, 1, 300]))
    elif way < 0.3 and isinstance(part, dict):
        part[rng.choice([ESCAPES, "", "../x", "@deep@"])] = part[key]
    else:
        part[key] = _odd(part[key], other, rng, paths)


def _odd(value: Any, other: Any, rng: random.Random, paths: tuple[str, ...]) -> Any:
    if isinstance(value, str) and rng.random() < 0.5:
        texts = (*paths, ESCAPES, value + ESCAPES, value * 2, value.upper(), "\ud800", "x" * 20_000, "@deep@")
        return rng.choice(texts)
    if isinstance(value, int | float) and rng.random() < 0.6:
        return rng.choice(
            [*INTEGERS, -value, _grown(value), 5e-324, 0.1, "@huge@", "@nan@", "@digits@", str(value)]
        )
    plain = (None, True, False, 0, -1, 1e308, "", [], {}, [[]], "@deep@", "@nan@", [value], {"a": value})
    return rng.choice([*plain, rng.choice(INTEGERS), copy.deepcopy(other)])


def _grown(value: float) -> float:
    try:
        return value * 1e300
    except OverflowError:
        return value


def _fitting(document: Any) -> Any:
    """Return the document with integers that msgpack holds."""
    if isinstance(document, dict):
        return {key: _fitting(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_fitting(value) for value in document]
    if isinstance(document, int) and not isinstance(document, bool):
        return max(-(2**63), min(document, 2**64 - 1))
    return document


def containers(document: Any) -> list[Any]:
    """Return every dict and list in a document."""
    found, left = [], [document]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            found.append(one)
            left += one.values() if isinstance(one, dict) else one
    return found
