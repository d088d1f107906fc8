"""Where an input of a flow's graph comes from: ``state:h``, ``encode.map``, ``token:note@16``."""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("state", "pre", "file", "constant", "token", "position")
_MOST_BACK = 4096
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_FORMS = (
    "'state:NAME', 'GRAPH.OUTPUT', 'pre:NAME', 'file:NAME', 'constant:NAME', 'token:NAME', 'token:NAME@BACK' "
    "or 'position:CYCLE'"
)


@dataclass(frozen=True)
class Source:
    """Where a tensor comes from.

    Attributes:
        kind: one of ``KINDS``, or ``graph``.
        name: of the state, pre-step's value, file, constant or token; of the graph.
        output: of the graph; empty for other kinds.
        number: of a token, how many draws back, 1 being the latest; of a position, the steps of a cycle.
    """

    kind: str
    name: str
    output: str = ""
    number: int = 0


def parse_source(text: str) -> Source:
    """Return what ``text`` says.

    Raises:
        ValueError: it has none of the allowed forms.

    Example:
        >>> parse_source("token:note@16")
        Source(kind='token', name='note', output='', number=16)
    """
    kind, colon, name = text.partition(":")
    if colon and kind in KINDS:
        if kind == "position":
            return Source(kind, "", number=_number(name, text))
        if kind == "token":
            name, at, back = name.partition("@")
            return Source(kind, _named(name, text), number=_number(back, text) if at else 1)
        return Source(kind, _named(name, text))
    graph, dot, output = text.partition(".")
    if not dot:
        raise ValueError(f"{text!r} says not where a tensor comes from; write one of {_FORMS}")
    return Source("graph", _named(graph, text), _named(output, text))


def _named(name: str, text: str) -> str:
    if not name:
        raise ValueError(f"{text!r} lacks a name; write one of {_FORMS}")
    return name


def _number(digits: str, text: str) -> int:
    if not _NUMBER.fullmatch(digits) or int(digits) > _MOST_BACK:
        raise ValueError(f"{text!r} has no whole number from 1 to {_MOST_BACK} at its end; write one there")
    return int(digits)
