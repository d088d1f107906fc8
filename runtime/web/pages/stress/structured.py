"""Stress by structure: many nodes, rules, layers, frames, and what moves by itself."""

from __future__ import annotations

from runtime.web.pages.stress.drawing import numbers, words
from runtime.web.pages.stress.kind import CARDS, Content, stress_kind, times


def _filled(bits: str) -> tuple[str, ...]:
    return tuple(f"<h2>{number}</h2>{bits}" for number in range(CARDS))


@stress_kind("table", "a table of many cells")
def table(strength: float) -> Content:
    rows = times(1500, strength)
    cells = numbers(1, rows * 6, 999.0)
    lines = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells[row * 6 : row * 6 + 6]) + "</tr>"
        for row in range(rows)
    )
    return Content(
        style=".card { height: auto; padding: 0; } "
        "table { border-collapse: collapse; width: 100%; font-size: 12px; } "
        "td { border: 1px solid #bbb; padding: 4px; } tr:nth-child(odd) td { background: #eef; }",
        cards=(f"<table>{lines}</table>",),
    )


@stress_kind("nodes", "many small boxes in deep nests")
def nodes(strength: float) -> Content:
    nest = "<div class='n'>" * 12 + "x" + "</div>" * 12
    return Content(
        style=".n { display: inline-block; border-left: 1px solid #08f3; font-size: 8px; }",
        cards=_filled(nest * times(40, strength)),
    )


@stress_kind(
    "selectors", "a change of one class, which many far-reaching rules ask for, at each scroll event"
)
def selectors(strength: float) -> Content:
    rules = "\n".join(
        f".on ~ .card > .row:nth-child({number % 9 + 1}) ~ .row .c{number % 40}:not(:first-child) "
        f"{{ color: hsl({number * 11 % 360} 60% 30%); }}\n"
        f".card:has(+ .on) .c{number % 37} {{ background: #ff{number % 10}; }}"
        for number in range(times(30, strength))
    )
    row = "<div class='row'>" + "".join(f"<i class='c{number}'>{number} </i>" for number in range(40))
    return Content(
        style=rules,
        cards=_filled((row + "</div>") * 4),
        script="const cards = document.querySelectorAll('.card');\n"
        "addEventListener('scroll', () => cards[(scrollY / 320 | 0) % cards.length].classList.toggle('on'), "
        "{passive: true});",
    )


@stress_kind("layers", "translucent layers of their own lie over each other")
def layers(strength: float) -> Content:
    sheets = "".join(
        f"<div class='sheet' style='left:{number * 7 % 50}%;top:{number * 11 % 50}%'></div>"
        for number in range(times(25, strength))
    )
    return Content(
        style=".sheet { position: absolute; width: 50%; height: 50%; opacity: .2; background: #08f; "
        "will-change: transform, opacity; }",
        cards=_filled(sheets),
    )


@stress_kind("sticky", "many headings stick to the top")
def sticky(strength: float) -> Content:
    heads = "".join(
        f"<div class='head' style='top:{number * 6}px'>{words(number, 3)}</div>"
        for number in range(times(10, strength))
    )
    return Content(
        style=".card { overflow: visible; height: auto; min-height: 308px; } "
        ".head { position: sticky; background: #fffc; border-bottom: 1px solid #ccc; "
        "will-change: transform; }",
        cards=_filled(heads),
    )


@stress_kind("frames", "pages inside the page")
def frames(strength: float) -> Content:
    inside = f"<body style='font:12px sans-serif;background:#efe'>{words(3, 60)}</body>"
    frame = f'<iframe srcdoc="{inside}" style="width:46%;height:120px;border:0"></iframe>'
    return Content(cards=_filled(frame * times(2, strength)))


@stress_kind("inner-scroller", "boxes that drop shadows scroll inside an element")
def inner_scroller(strength: float) -> Content:
    boxes = "".join(
        f"<div class='box' style='left:{number * 71 % 290}px;top:{40 + number * 53 % 200}px'>box</div>"
        for number in range(times(6, strength))
    )
    return Content(
        style=".box { position: absolute; width: 70px; height: 40px; border-radius: 9px; "
        "background: #bde; filter: drop-shadow(2px 4px 8px #0006); will-change: transform; }",
        cards=_filled(boxes),
        scroller=True,
    )


def _animated(strength: float, base: float, frames: str) -> Content:
    dots = "".join(
        f"<b class='dot' style='animation-delay:-{number * 0.13:.2f}s'></b>"
        for number in range(times(base, strength))
    )
    return Content(
        style=".dot { display: inline-block; width: 20px; height: 20px; margin: 4px; background: #08f; "
        f"animation: move 1.7s infinite alternate ease-in-out; }} @keyframes move {{ {frames} }}",
        cards=_filled(dots),
    )


@stress_kind("animation", "boxes move and fade by animations of the compositor")
def animation(strength: float) -> Content:
    return _animated(strength, 5, "to { transform: translateX(40px) rotate(90deg); opacity: .4; }")


@stress_kind("animation-paint", "colours and shadows are animated: painted for every frame")
def animation_paint(strength: float) -> Content:
    return _animated(strength, 3, "to { background: #f80; box-shadow: 0 0 12px #f80; }")


@stress_kind("animation-layout", "sizes are animated: laid out for every frame")
def animation_layout(strength: float) -> Content:
    return _animated(strength, 4, "to { width: 40px; margin-left: 9px; }")
