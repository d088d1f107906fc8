"""Stress by scripts: what a page does when it is scrolled, or all the time."""

from __future__ import annotations

from runtime.web.pages.stress.kind import CARDS, Content, stress_kind, times

# Arithmetic that no compiler leaves out; counted, not timed, so that a slow core takes longer.
_CRUNCH = """
let sum = 1;
const crunch = (rounds) => { for (let i = 0; i < rounds; i++) sum = Math.imul(sum ^ i, 1103515245) + 12345;
  document.documentElement.dataset.sum = sum; };
"""
_ON_SCROLL = "addEventListener('scroll', () => {{ {} }}, {{passive: true}});"


@stress_kind("script", "a script computes at each scroll event")
def script(strength: float) -> Content:
    return Content(script=_CRUNCH + _ON_SCROLL.format(f"crunch({times(5e5, strength)})"))


@stress_kind("blocking-script", "listeners that may stop the scroll compute at each input")
def blocking_script(strength: float) -> Content:
    work = f"crunch({times(4e5, strength)})"
    listen = "".join(
        f"document.addEventListener('{kind}', () => {work}, {{passive: false}});\n"
        for kind in ("wheel", "touchmove")
    )
    return Content(script=_CRUNCH + listen)


@stress_kind("layout-thrash", "a script changes and reads the layout in turns at each scroll event")
def layout_thrash(strength: float) -> Content:
    body = (
        f"for (let i = 0; i < {times(80, strength)}; i++) {{ const card = cards[i % cards.length]; "
        "card.style.paddingLeft = 16 + (scrollY + i) % 5 + 'px'; seen += card.lastChild.offsetHeight; }"
    )
    setup = "const cards = document.querySelectorAll('.card');\nlet seen = 0;\n"
    return Content(script=setup + _ON_SCROLL.format(body))


@stress_kind("style-toggle", "a class on the body changes the style of all cards at each scroll event")
def style_toggle(strength: float) -> Content:
    bits = "".join(f"<i class='bit b{number % 7}'>{number}</i> " for number in range(times(35, strength)))
    style = ".bit { color: #345; } .odd .card .bit { color: #543; } .odd .card .b3 + .b4 { color: #a00; }"
    return Content(
        style=style,
        cards=tuple(f"<h2>{number}</h2>{bits}" for number in range(CARDS)),
        script="let turn = 0;\n" + _ON_SCROLL.format("document.body.classList.toggle('odd', turn++ % 2)"),
    )


@stress_kind("parallax", "a script moves many boxes at each scroll event")
def parallax(strength: float) -> Content:
    stars = "".join(
        f"<b style='position:absolute;left:{number * 37 % 96}%;top:{number * 61 % 90}%'>*</b>"
        for number in range(times(12, strength))
    )
    return Content(
        cards=tuple(f"<h2>{number}</h2>{stars}" for number in range(CARDS)),
        script="const stars = [...document.querySelectorAll('b')];\n"
        + _ON_SCROLL.format(
            "stars.forEach((star, at) => { "
            "star.style.transform = `translateY(${(scrollY * (at % 9)) / 30 % 60}px)`; })"
        ),
    )


@stress_kind("virtual-list", "a script writes the visible rows anew at each scroll event")
def virtual_list(strength: float) -> Content:
    rows = times(70, strength)
    body = (
        f"list.innerHTML = Array.from({{length: {rows}}}, (_, at) => "
        "`<div style='display:flex'><b>${scrollY + at}</b><span style='flex:1'>row</span><i>${at}</i></div>`"
        ").join('')"
    )
    return Content(
        style="#list { position: fixed; inset: 0 0 auto 60%; height: 50vh; overflow: hidden; "
        "background: #ffc; font-size: 11px; z-index: 2; }",
        body='<div id="list"></div>',
        script="const list = document.getElementById('list');\n" + _ON_SCROLL.format(body),
    )


_CANVAS = """
const canvas = document.querySelector('canvas');
canvas.width = innerWidth; canvas.height = innerHeight / 2;
const pen = canvas.getContext('2d');
const draw = (turn) => {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < COUNT; i++) {
    pen.fillStyle = `hsl(${(i * 7 + turn) % 360} 60% 60% / 0.5)`;
    pen.beginPath();
    pen.arc((i * 97 + turn) % canvas.width, (i * 57 + turn) % canvas.height, 4 + i % 23, 0, 7);
    pen.fill();
  }
};
"""
_CANVAS_STYLE = "canvas { position: fixed; left: 0; top: 0; z-index: 2; pointer-events: none; }"


@stress_kind("canvas", "a canvas is drawn anew for every frame")
def canvas(strength: float) -> Content:
    loop = "const loop = (now) => { draw(now / 20 | 0); requestAnimationFrame(loop); };\nloop(0);"
    return Content(
        style=_CANVAS_STYLE,
        body="<canvas></canvas>",
        script=_CANVAS.replace("COUNT", str(times(700, strength))) + loop,
    )


@stress_kind("canvas-scroll", "a canvas is drawn anew at each scroll event")
def canvas_scroll(strength: float) -> Content:
    return Content(
        style=_CANVAS_STYLE,
        body="<canvas></canvas>",
        script=_CANVAS.replace("COUNT", str(times(700, strength)))
        + "draw(0);\n"
        + _ON_SCROLL.format("draw(scrollY | 0)"),
    )


@stress_kind("observer", "cards change their height as they come into view")
def observer(strength: float) -> Content:
    bits = "".join(f"<p class='bit'>{number}</p>" for number in range(times(100, strength)))
    return Content(
        style=".card { height: auto; min-height: 308px; } "
        ".bit { margin: 0; display: inline-block; padding: 2px 6px; } "
        ".seen .bit { padding: 2px 7px; font-weight: bold; }",
        cards=tuple(f"<h2>{number}</h2>{bits}" for number in range(CARDS)),
        script="const observer = new IntersectionObserver((all) => all.forEach((each) => "
        "each.target.classList.toggle('seen', each.intersectionRatio > 0.5)), "
        "{threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]});\n"
        "document.querySelectorAll('.card').forEach((card) => observer.observe(card));",
    )
