"""Page features: what they count on pages made for it, what they cost, and pages that resist."""

import math
import time

import pytest

from runtime.errors import WebError
from runtime.web.browser import isolated
from runtime.web.pages.features import FEATURE_NAMES, GROUPS, read_features
from runtime.web.pages.features.reader import by_worth

TALL = "<div style='height:6000px'></div>"


def values_of(page, **options):
    return read_features(page, **options).values


def test_every_feature_has_its_name_and_is_a_finite_number(show):
    found = read_features(show(f"<p class='a b' id='c'>text</p>{TALL}"))
    assert set(found.values) == set(FEATURE_NAMES)
    assert all(math.isfinite(value) for value in found.values.values())
    assert (found.left_out, found.notes, found.scroller) == ((), (), "document")
    assert set(found.cost_ms) == {group.name for group in GROUPS}
    assert found.vector(["screens", "no_such"])[0] == pytest.approx(6000 / 915 - 1, abs=0.1)
    assert math.isnan(found.vector(["no_such"])[0])


def test_elements_attributes_and_depth_are_counted(show):
    values = values_of(show("<div><ul id='x'><li class='a b'>1<li style='color:red'>2</ul></div>" + TALL))
    assert values["dom_elements"] == 11  # html, head, meta, meta, style, body, div, ul, li, li, div
    assert (values["dom_depth"], values["dom_tag_li"], values["dom_ids"]) == (4, 2, 1)
    assert (values["dom_classes"], values["dom_inline_styles"]) == (2, 2)


def test_shadow_trees_and_frames_of_the_same_site_are_read(show):
    frame = "<iframe srcdoc='<main><b>1</b><b>2</b></main>'></iframe>"
    script = "<script>host.attachShadow({mode: 'open'}).innerHTML = '<table></table>'</script>"
    values = values_of(show(f"<div id='host'></div>{frame}{script}{TALL}"))
    assert values["dom_tag_table"] == 1
    assert values["dom_shadow_roots"] == 1
    assert values["images_frames"] == 1


def test_rules_are_counted_by_the_patterns_of_their_selectors(show):
    css = """<style>
      .a .b, #c > li:hover {} [x] + p {} * {} p:nth-child(2) {} div:has(p) {}
      @media (max-width: 10px) { .never {} } @keyframes k { from {} to {} }
    </style>"""
    values = values_of(show(TALL, css))
    assert (values["css_by_class"], values["css_by_id"], values["css_by_attribute"]) == (2, 1, 1)
    assert (values["css_hover"], values["css_nth"], values["css_has"], values["css_universal"]) == (
        1,
        1,
        1,
        1,
    )
    assert (values["css_media_rules"], values["css_keyframes"]) == (1, 1)
    assert (values["css_sibling"], values["css_child"]) == (1, 1)


def test_selectors_are_weighted_by_what_they_match(show):
    values = values_of(show("<p class='a'></p>" * 7 + TALL, "<style>.a {} .none {}</style>"))
    assert (values["matches_by_class"], values["matches_rules_used"]) == (7, 2)  # of ours and `body`


def test_what_is_expensive_to_paint_is_counted_with_its_area_on_the_screens_that_are_seen(show):
    box = "<div style='width:412px;height:915px;{}'></div>"
    values = values_of(
        show(
            box.format("box-shadow:0 0 8px red")
            + box.format("filter:blur(5px)")
            + box.format("background:linear-gradient(red,blue)")
            + box.format("")
            + box.format("box-shadow:0 0 8px red")  # below the third screen
            + "<nav style='position:fixed;top:0;width:412px;height:183px;backdrop-filter:blur(2px)'></nav>"
        ),
        screens=3,
    )
    assert (values["paint_shadow"], values["paint_filter"], values["paint_gradient"]) == (1, 1, 1)
    assert values["paint_shadow_area"] == pytest.approx(1, abs=0.02)
    assert values["paint_fixed_area"] == pytest.approx(0.2, abs=0.01)
    assert values["paint_filter_blur_px"] == pytest.approx(5 + 2 * 0.2, abs=0.1)


def test_animations_are_told_by_who_must_draw_them(show):
    css = """<style>@keyframes move { to { transform: translateX(9px) } }
      @keyframes grow { to { width: 9px } }
      b { display: block; width: 20px; height: 20px; animation: move 1s infinite } i { display: block;
      width: 20px; height: 20px; animation: grow 1s infinite }</style>"""
    values = values_of(show("<b></b><b></b><i></i>" + TALL, css))
    assert (values["paint_animations"], values["paint_animations_main"]) == (3, 1)


def test_listeners_are_counted_and_those_that_hold_up_the_scroll(show):
    script = """<script>
      const box = document.querySelector('#box'), no = () => 0;
      box.addEventListener('wheel', no, {passive: false});
      box.addEventListener('touchmove', no, {passive: true});
      addEventListener('scroll', no); document.addEventListener('scroll', no);
      box.onclick = no;
    </script>"""
    values = values_of(show(f"<div id='box'></div>{TALL}{script}"))
    assert (values["listeners_wheel"], values["listeners_wheel_blocking"]) == (1, 1)
    assert (values["listeners_touch"], values["listeners_touch_blocking"]) == (1, 0)
    assert (values["listeners_scroll"], values["listeners_click"], values["listeners_all"]) == (2, 1, 5)


def test_pictures_count_with_their_pixels(show, tmp_path):
    from runtime.web.pages.stress.drawing import png

    (tmp_path / "a.png").write_bytes(png(1, 1000, 500))
    seen = "<img src='a.png' width='412' height='206'>"
    values = values_of(show(seen + TALL + "<img src='a.png' width='99'>"))
    assert (values["images_images"], values["images_mpx"]) == (2, 1.0)
    assert (values["images_in_band"], values["images_in_band_mpx"]) == (1, 0.5)


def test_the_probe_sees_what_scrolling_makes_the_page_do(show):
    thrash = """<script>addEventListener('scroll', () => { for (let i = 0; i < 5; i++) {
      document.body.style.paddingLeft = i + scrollY % 3 + 'px'; document.body.offsetHeight; } });</script>"""
    calm, busy = values_of(show("x" + TALL)), values_of(show("x" + TALL + thrash))
    assert busy["probe_layouts"] > calm["probe_layouts"] + 2
    assert busy["probe_fps"] > 0
    assert busy["probe_main_ms"] > 0
    assert busy["probe_viz_ms"] > 0


def test_after_the_probe_the_page_is_at_its_top(show):
    page = show("x" + TALL)
    read_features(page)
    assert page.evaluate("scrollY") == 0


def test_a_page_without_room_to_scroll_is_read_but_for_the_probe(show):
    found = read_features(show("<p>short</p>"))
    assert found.left_out == ("probe",)
    assert "probe failed: the page can be scrolled by 0 px" in found.notes[0]
    assert found.values["screens"] == 0


def test_an_inner_scroller_is_named_and_measured(show):
    rows = "<div style='height:30px'>row</div>" * 200
    found = read_features(show(f"<div id='list' style='height:100vh;overflow:auto'>{rows}</div>"))
    assert found.scroller == "div#list"
    assert found.values["screens"] == pytest.approx(6000 / 915 - 1, abs=0.1)
    assert found.values["probe_fps"] > 0


def test_a_budget_chooses_the_groups_worth_most_and_says_which_are_left_out(show):
    page = show("<p>1</p>" * 500 + TALL)
    read_features(page)  # what is only slow the first time
    began_s = time.monotonic()
    found = read_features(page, budget_ms=100)
    took_ms = (time.monotonic() - began_s) * 1e3
    assert "probe" in found.left_out
    order = [group.name for group in by_worth(found.values["dom_elements"])]
    assert list(found.cost_ms) == [name for name in order if name in found.cost_ms]
    assert any("probe is expected to take" in note for note in found.notes)
    assert took_ms < 1000  # a busy machine: all groups take longer


def test_a_slow_machine_is_expected_to_take_longer(show):
    page = show("<p>1</p>" * 500 + TALL)
    assert len(read_features(page, budget_ms=60, slowness=20).cost_ms) < len(
        read_features(page, budget_ms=60).cost_ms
    )


@pytest.mark.parametrize("budget_ms", [0, -1, float("nan")])
def test_a_budget_of_nothing_is_refused(show, budget_ms):
    with pytest.raises(ValueError, match="budget_ms"):
        read_features(show("x"), budget_ms=budget_ms)


def test_overridden_prototypes_and_names_change_nothing(show):
    hostile = """<form><input name='attributes'><input name='tagName'><input name='firstElementChild'>
      <input name='getBoundingClientRect'><input name='parentNode'></form><img name='querySelectorAll'>
      <img name='getElementsByTagName'><img name='createTreeWalker'><img name='styleSheets'>
      <script>
        Element.prototype.getBoundingClientRect = () => { throw 1 };
        Object.defineProperty(Element.prototype, 'attributes', {get() { while (1); }});
        window.getComputedStyle = () => null; performance.now = () => 0; Object.fromEntries = null;
        Document.prototype.elementFromPoint = () => { throw 1 }; Array.prototype[Symbol.iterator] = null;
        Reflect.apply = null; String.prototype.match = () => { throw 1 };
      </script>"""
    found = read_features(show(hostile + "<b>1</b>" * 5 + TALL))
    assert found.notes == ()
    assert found.values["dom_tag_input"] == 5
    assert found.values["dom_tag_span"] == 0


def test_a_huge_page_is_read_within_its_budget_in_part(show):
    many = """<script>const all = document.createDocumentFragment();
      for (let i = 0; i < 100000; i++) all.append(document.createElement('i'));
      document.body.append(all);</script>"""
    page = show(TALL + many)
    began_s = time.monotonic()
    found = read_features(page, budget_ms=3000)
    assert time.monotonic() - began_s < 8
    assert found.values["dom_elements"] > 100_000


def test_a_page_that_hangs_is_an_error_of_ours(show, monkeypatch):
    monkeypatch.setattr(isolated, "_ANSWER_S", 0.5)
    page = show(TALL + "<script>onload = () => setTimeout(() => { while (1); }, 700)</script>")
    time.sleep(1)
    with pytest.raises(WebError, match="the page hangs"):
        read_features(page)


def test_boxes_that_are_expensive_to_draw_are_named_largest_first(show):
    css = "<style>p, div.card { box-shadow: 0 0 9px red; height: 9px } .card { height: 90px }</style>"
    found = read_features(show("<div class='card a'></div>" * 3 + "<p id='one'></p>" + TALL, css)).painted
    assert [(each.kind, each.owner, each.count) for each in found] == [
        ("shadow", "div.card.a", 3),
        ("shadow", "p#one", 1),
    ]
    assert found[0].area > found[1].area


def test_names_of_boxes_are_cut_and_shown_safely(show):
    name = "x\u202e\u0007" * 40
    (found,) = read_features(show(f"<p id='{name}' style='opacity:.5'>a</p>{TALL}")).painted
    assert len(found.owner) < 400
    assert found.owner.isprintable()
