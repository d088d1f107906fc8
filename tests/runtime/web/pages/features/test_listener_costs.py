"""Which functions of a page a scroll wakes: named, found on their elements, and timed."""

from runtime.web.pages.features.listener_costs import calls_of, read_listener_costs, with_listeners
from runtime.web.pages.features.page_features import PageFeatures

TALL = "<div style='height:6000px'></div>"
BURN = "function burn(ms) { const end = performance.now() + ms; while (performance.now() < end); }"


def call(name, ts, dur, **data):
    return {
        "name": name,
        "ph": "X",
        "pid": 1,
        "tid": 1,
        "ts": ts,
        "dur": dur,
        "tdur": dur,
        "args": {"data": data},
    }


def function(ts, dur, line, name=""):
    return call("FunctionCall", ts, dur, scriptId="7", lineNumber=line, columnNumber=3, functionName=name)


def test_calls_count_once_under_the_event_that_made_them():
    events = [
        function(150, 100, 9, "inner"),  # called by the first one
        call("EventDispatch", 90, 400, type="scroll"),
        function(100, 300, 5, "outer"),
        call("FireAnimationFrame", 600, 100, id=1),
        function(610, 50, 6, "later"),
        function(900, 10, 8),
        {"name": "FunctionCall", "ph": "B", "ts": 0, "pid": 1, "tid": 1},
    ]
    assert list(calls_of(events)) == [
        (("scroll", ("7", 4, 2)), "outer", 0.3),
        (("animation frame", ("7", 5, 2)), "later", 0.05),
        (("script", ("7", 7, 2)), "", 0.01),
    ]


def test_listeners_are_named_by_what_they_cost(show):
    script = f"""<script>{BURN}
      addEventListener('scroll', function expensive() {{
        burn(4); requestAnimationFrame(function after() {{ burn(2) }})
      }});
      document.addEventListener('scroll', function cheap() {{}});
      for (const row of document.querySelectorAll('li'))
        row.addEventListener('touchmove', {{handleEvent() {{}}}}, {{passive: false}});
      document.querySelector('b').onclick = () => burn(9);
    </script>"""
    page = show(f"<ul id='list'>{'<li class=row>1' * 5}</ul><b>1</b>{TALL}{script}")
    first, second, *others = read_listener_costs(page)
    assert (first.type, first.function, first.owners, first.count) == ("scroll", "expensive", ("window",), 1)
    assert first.script.startswith("0.html:2:")
    assert first.calls >= 5
    assert first.frame_ms > 2.0
    assert (second.type, second.function, second.owners) == ("animation frame", "after", ())
    assert first.frame_ms > second.frame_ms > 0.5
    if first.main_share is not None:  # on a full machine it may not be known
        assert 0.2 < first.main_share < 1.0
    (holding,) = [each for each in others if each.is_holding]
    assert (holding.type, holding.count) == ("touchmove", 5)
    assert holding.owners[0] == "ul#list > li.row:nth-of-type(1)"
    assert [each.function for each in others if each.type == "scroll"] == ["cheap"]
    assert page.evaluate("scrollY") == 0


def test_a_page_that_hides_what_it_is_made_of_is_told_all_the_same(show):
    page = show(
        "<form id='f'><input name='id'><input name='classList'><input name='parentNode'></form>" + TALL +
        "<script>f.addEventListener('wheel', () => {}, {passive: false});"
        "Element.prototype.getAttribute = () => { throw 1 }; debugger;</script>"
    )  # fmt: skip
    (only,) = with_listeners(page, PageFeatures("", {}, {})).listeners
    assert (only.owners, only.is_holding, only.calls) == (("form#f",), True, 0)


def test_a_page_that_cannot_be_scrolled_tells_what_may_hold_a_scroll(show):
    page = show("<p>short<script>addEventListener('wheel', () => 0, {passive: false})</script>")
    (only,) = read_listener_costs(page)
    assert (only.type, only.owners, only.is_holding, only.frame_ms) == ("wheel", ("window",), True, 0.0)
