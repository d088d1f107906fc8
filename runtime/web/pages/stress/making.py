"""Write stress pages: one file of HTML each, with the pictures it shows."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.web.pages.stress import painted, scripted, structured
from runtime.web.pages.stress.drawing import words
from runtime.web.pages.stress.kind import CARDS, KINDS, Content, StressPage

STRENGTHS = (1.0, 3.0)
LIST = "pages.json"
_MOST_STRENGTH = 100.0
_MODULES = (scripted, painted, structured)  # importing them lists their kinds

_STYLE = """
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 sans-serif; color: #222; background: #fafafa; }
.card { height: 308px; margin: 0 12px 12px; padding: 16px; overflow: hidden; background: #fff;
  border: 1px solid #ddd; position: relative; }
h2 { margin: 0 0 8px; font-size: 18px; }
"""
_INNER = ".scroller { height: 100vh; overflow-y: scroll; }"


def make_page(kind: str, strength: float = 1.0) -> StressPage:
    """Return the page of a kind at a strength; the same one each time.

    Raises:
        ValueError: there is no such kind, or the strength is not above 0.

    Example:
        >>> make_page("blur", 2.0).name
        'blur-2'
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind of stress {kind!r}; choose of {', '.join(KINDS)}")
    if not 0 < strength <= _MOST_STRENGTH:
        raise ValueError(f"strength is {strength:g}; it must be above 0 and at most {_MOST_STRENGTH:g}")
    name = f"{kind}-{strength:g}"
    content = KINDS[kind].make(strength)
    files = {f"{name}.html": _document(name, KINDS[kind].label, content).encode(), **content.files}
    return StressPage(name, kind, KINDS[kind].label, strength, files)


def make_pages(
    strengths: Sequence[float] = STRENGTHS, kinds: Iterable[str] | None = None
) -> list[StressPage]:
    """Return the pages of all kinds, or of some, at each strength; errors as ``make_page``."""
    chosen = list(KINDS) if kinds is None else list(kinds)
    return [make_page(kind, strength) for kind in chosen for strength in strengths]


def write_pages(folder: Path, pages: Sequence[StressPage]) -> Path:
    """Write pages into a folder, with a list of their labels, whose path is returned.

    Raises:
        OSError: the folder cannot be written.

    Example:
        >>> write_pages(Path("stress"), make_pages())                       # doctest: +SKIP
        PosixPath('stress/pages.json')
    """
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for name, data in page.files.items():
            write_atomic(folder / name, data)
    labels = [
        {"name": page.name, "kind": page.kind, "label": page.label, "strength": page.strength}
        for page in pages
    ]
    write_atomic(folder / LIST, msgspec.json.format(msgspec.json.encode(labels)))
    return folder / LIST


def _document(name: str, label: str, content: Content) -> str:
    filled = content.cards or tuple(_text_card(number) for number in range(CARDS))
    cards = "\n".join(f'<div class="card">{card}</div>' for card in filled)
    style = _STYLE + (_INNER if content.scroller else "") + content.style
    if content.scroller:
        cards = f'<div class="scroller">\n{cards}\n</div>'
    script = f"<script>\n{content.script}\n</script>\n" if content.script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(name)}: {html.escape(label)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{content.body}\n{cards}\n{script}</body>\n</html>\n"
    )


def _text_card(number: int) -> str:
    return f"<h2>{number + 1}. {words(number, 3)}</h2><p>{words(number + 1000, 70)}</p>"
