"""Stress by painting: what is expensive to draw, or to put together."""

from __future__ import annotations

from runtime.web.pages.stress.drawing import path, png, words
from runtime.web.pages.stress.kind import CARDS, Content, stress_kind, times

# Tiles that are painted once move for nothing; a layer of its own goes through its filter in every frame.
_LAYER = (
    ".box { position: absolute; width: 84px; height: 60px; overflow: hidden; font-size: 11px; "
    "background: #bde; will-change: transform; "
)


def _boxes(count: int) -> tuple[str, ...]:
    """Return cards with boxes over each other, so that more of them are on the screen, not below it."""
    inside = "".join(
        f"<div class='box' style='left:{number * 71 % 290}px;top:{40 + number * 53 % 200}px'>"
        f"{words(number, 4)}</div>"
        for number in range(count)
    )
    return tuple(f"<h2>{number}</h2>{inside}" for number in range(CARDS))


@stress_kind("blur", "boxes go through a blur in every frame")
def blur(strength: float) -> Content:
    return Content(style=_LAYER + "filter: blur(4px) saturate(1.4); }", cards=_boxes(times(8, strength)))


@stress_kind("backdrop", "bars that stay in place blur what moves below them")
def backdrop(strength: float) -> Content:
    bars = "".join(
        f"<div class='bar' style='top:{number * 130 % 780}px'>{words(number, 5)}</div>"
        for number in range(times(3, strength))
    )
    return Content(
        style=".bar { position: fixed; left: 0; right: 0; height: 100px; z-index: 2; background: #ffffff55; "
        "backdrop-filter: blur(12px); }",
        body=bars,
    )


@stress_kind("sticky-blur", "headings stick and blur what moves below them")
def sticky_blur(strength: float) -> Content:
    heads = "".join(
        f"<h3 style='top:{number * 50 % 600}px'>{words(number, 3)}</h3>"
        for number in range(times(2, strength))
    )
    return Content(
        style=".card { overflow: visible; height: auto; min-height: 308px; } "
        "h3 { position: sticky; z-index: 1; height: 44px; margin: 0; background: #ffffff88; "
        "backdrop-filter: blur(6px); }",
        cards=tuple(f"{heads}<p>{words(number, 50)}</p>" for number in range(CARDS)),
    )


@stress_kind("shadows", "boxes have wide shadows, outside and inside")
def shadows(strength: float) -> Content:
    layers = ", ".join(
        f"{number + 1}px {number + 2}px {14 + 6 * (number % 4)}px #0004"
        for number in range(times(15, strength))
    )
    return Content(
        style=".box { position: absolute; width: 90px; height: 44px; border-radius: 9px; "
        f"box-shadow: {layers}, inset 0 0 18px #08f5; }}",
        cards=_boxes(6),
    )


@stress_kind("gradients", "backgrounds are layers of gradients")
def gradients(strength: float) -> Content:
    layers = ", ".join(
        f"radial-gradient(circle at {number * 31 % 100}% {number * 47 % 100}%, #f804, "
        f"#08f2 {20 + number % 30}%, transparent 60%)"
        for number in range(times(60, strength))
    )
    return Content(style=f".card {{ background: {layers}, conic-gradient(#eee, #ccc, #eee); }}")


@stress_kind("fixed-background", "backgrounds that stay while the page moves are painted for every frame")
def fixed_background(strength: float) -> Content:
    layers = ", ".join(
        f"radial-gradient(circle at {number * 37 % 100}% 50%, #f804, #08f2, #0f84)"
        for number in range(times(3, strength))
    )
    return Content(style=f".card {{ background: {layers}; background-attachment: fixed; }}")


@stress_kind("images", "large pictures are decoded and shrunk as they come into view")
def images(strength: float) -> Content:
    side = times(1800, strength**0.5)  # twice the strength is twice the pixels
    files = {f"picture-{side}-{number}.png": png(number, side, side) for number in range(6)}
    names = list(files)
    # An address of its own each, so that no decoded picture serves twice.
    cards = tuple(
        f"<img src='{names[number % len(names)]}?{number}' style='width:100%;height:100%;object-fit:cover'>"
        for number in range(CARDS)
    )
    return Content(cards=cards, files=files)


@stress_kind("svg", "drawings of many curves")
def svg(strength: float) -> Content:
    curves = "".join(
        f"<path d='{path(number, 40, 380, 280)}' fill='hsl({number * 20} 60% 70% / .3)' stroke='#234'/>"
        for number in range(times(25, strength))
    )
    drawing = f"<svg viewBox='0 0 380 280' width='100%' height='100%'>{curves}</svg>"
    return Content(cards=(drawing,) * CARDS)


@stress_kind("svg-filter", "boxes go through filters of SVG in every frame")
def svg_filter(strength: float) -> Content:
    stages = "<feMorphology operator='dilate' radius='2'/><feTurbulence baseFrequency='.1'/>"
    return Content(
        style=_LAYER + "filter: url(#f); }",
        body=f"<svg width='0' height='0'><filter id='f'>{stages}</filter></svg>",
        cards=_boxes(times(2, strength)),
    )


@stress_kind("blend", "layers are blended with what lies below them in every frame")
def blend(strength: float) -> Content:
    return Content(style=_LAYER + "mix-blend-mode: multiply; }", cards=_boxes(times(8, strength)))


@stress_kind("clip", "layers are cut to shapes in every frame")
def clip(strength: float) -> Content:
    shape = "clip-path: polygon(50% 0, 100% 38%, 82% 100%, 18% 100%, 0 38%); }"
    return Content(style=_LAYER + shape, cards=_boxes(times(10, strength)))


@stress_kind("mask", "layers fade out through masks in every frame")
def mask(strength: float) -> Content:
    fade = "mask-image: linear-gradient(90deg, #000, transparent); }"
    return Content(style=_LAYER + fade, cards=_boxes(times(14, strength)))


@stress_kind("text-shadow", "text has many shadows")
def text_shadow(strength: float) -> Content:
    layers = ", ".join(
        f"{number}px {number + 1}px {3 + number % 5}px #08f8" for number in range(times(40, strength))
    )
    return Content(style=f"p {{ text-shadow: {layers}; }}")
