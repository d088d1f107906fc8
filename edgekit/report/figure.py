"""Plots as files of their own: an SVG that carries its style, or a PNG drawn from it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.report.svg import HORIZONTAL, TEXT, px, svg, symbol
from runtime.bundle import write_atomic
from runtime.errors import DataError
from runtime.extras import require

_MARGIN = 22.0
_LINE = 19.0
_CHARACTER = 6.3  # width of one, generously, at the legend's font size
_SCALE = 2.0  # pixels of a PNG per unit of the SVG
LINE_KEY = -1
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" class="plot"
 width="{0}" height="{1}" viewBox="0 0 {0} {1}">"""
_OWN_STYLE = """.page { fill: var(--card); } .shape { fill: var(--soft); }
.plot text { font-family: Lato, "DejaVu Sans", sans-serif; font-size: 12px; }
.plot .title { fill: var(--text); font-size: 21px; font-weight: 700; }
.plot .text { fill: var(--text); font-size: 13.5px; } .plot .key { fill: var(--text); font-size: 12.5px; }
.plot .remark { font-size: 11px; } .strong { stroke: var(--soft); stroke-width: 3.2; }"""
_RULE = re.compile(r"(?:\.plot|\.g\d)[^{}]*\{[^}]*\}")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")


@dataclass(frozen=True)
class Key:
    """One entry of a legend: its name, a style (``g0`` to ``g5``, ...), a shape or ``LINE_KEY``."""

    name: str
    style: str
    shape: int = 0


@dataclass(frozen=True)
class Figure:
    """A drawing with a title above, a legend, and remarks below.

    Attributes:
        drawing: an SVG element of ``width`` x ``height``.
        lines: below the title; long ones are wrapped.
        remarks: small, at the bottom.
    """

    title: str
    lines: tuple[str, ...]
    keys: tuple[Key, ...]
    drawing: str
    width: float
    height: float
    remarks: tuple[str, ...] = ()


def write_figure(figure: Figure, out: str | os.PathLike[str]) -> Path:
    """Write ``figure`` to ``out``, a ``.png`` or ``.svg`` file, and return its path.

    Raises:
        ValueError: ``out`` has another ending.
        DataError: it cannot be written.
        MissingExtra: a PNG needs the extra ``report``.
    """
    path = Path(out)
    if path.suffix.lower() not in (".png", ".svg"):
        raise ValueError(f"{path.name!r} is no name of a plot; end it with .png or .svg")
    if not path.resolve().parent.is_dir() or path.is_dir():
        raise DataError(f"{path} cannot be written; {path.parent} must be a folder, {path.name} a file in it")
    markup = render_figure(figure)
    write_atomic(path, markup.encode() if path.suffix.lower() == ".svg" else _png(markup))
    return path


def render_figure(figure: Figure) -> str:
    """Return ``figure`` as an SVG file; every text is escaped."""
    width = figure.width + 2 * _MARGIN
    y, parts = 40.0, [svg(TEXT, "title", px(_MARGIN), "40.0", figure.title)]
    for line in (piece for text in figure.lines for piece in _wrap(text, figure.width)):
        y += _LINE
        parts.append(svg(TEXT, "text", px(_MARGIN), px(y), line))
    y += 10
    keys, y = _legend(figure.keys, y, figure.width)
    parts += keys
    y += 12
    place = svg(
        '<svg x="{}" y="{}" width="{}" height="{}" ', *map(px, (_MARGIN, y, figure.width, figure.height))
    )
    parts.append(figure.drawing.replace("<svg ", place, 1))
    y += figure.height + 4
    for line in (piece for text in figure.remarks for piece in _wrap(text, 1.16 * figure.width)):
        y += 16
        parts.append(svg(TEXT, "remark", px(_MARGIN), px(y), line))
    height = y + 18
    head = svg(_HEAD, px(width), px(height))
    page = svg('<rect class="page" width="{}" height="{}"/>', px(width), px(height))
    style = f"<style>{_style()}</style>"  # ours, and no text of a bundle in it
    return "\n".join([head, style, page, *parts, "</svg>"])


def _legend(keys: Sequence[Key], y: float, width: float) -> tuple[list[str], float]:
    """Return the entries, in as many rows as they need, and where the last row stands."""
    parts, x = [], _MARGIN
    y += 14
    for key in keys:
        wide = 20 + _CHARACTER * len(key.name) + 16
        if x + wide > _MARGIN + width and x > _MARGIN:
            x, y = _MARGIN, y + _LINE
        if key.shape == LINE_KEY:
            parts.append(svg(HORIZONTAL, key.style, px(y - 4), px(x - 1), px(x + 13)))
        else:
            parts.append(symbol(key.shape, x + 6, y - 4, 5, svg('class="{}"', key.style)))
        parts.append(svg(TEXT, "key", px(x + 18), px(y), key.name))
        x += wide
    return parts, y


def _wrap(text: str, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and _CHARACTER * (len(lines[-1]) + 1 + len(word)) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _style() -> str:
    """Return the report's rules for plots in its light colours.

    No variable is left in them: few readers of SVG but browsers know any.
    """
    text = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    root = text[text.index("{") + 1 : text.index("}")]
    colours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", root))
    rules = [rule for rule in _RULE.findall(text) if ":hover" not in rule and ".narrow" not in rule]
    return _VARIABLE.sub(lambda match: colours[match[1]], "\n".join([_OWN_STYLE, *rules]))


def _png(markup: str) -> bytes:
    lato = require("font_lato", extra="report")
    resvg = require("resvg_py", extra="report")
    fonts = list(lato.font_files.values())
    data: bytes = resvg.svg_to_bytes(svg_string=markup, zoom=_SCALE, font_files=fonts, font_family="Lato")
    return data
