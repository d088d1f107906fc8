"""How the page behaves on a phone, on paper and where readings are missing, told from its HTML and CSS."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import edgekit.report
from edgekit.report import render_report
from runtime.choose.policy.policy import load_policy, save_policy
from runtime.measure.profiling.kept import keep_profile
from runtime.measure.profiling.profile import OpTime, Profile
from runtime.measure.records import RecordLog
from tests.edgekit.report.markup import EVIL, Page
from tests.edgekit.report.tuned_bundle import FALLBACK, TARGET, bench, measured

CSS = re.sub(r"/\*.*?\*/", "", (Path(edgekit.report.__file__).parent / "report.css").read_text("utf-8"))


def rules(media):
    """Return the text inside ``@media media``."""
    start = CSS.index(f"@media {media} {{") + len(f"@media {media} {{")
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(CSS[end], 0)
        end += 1
    return CSS[start:end]


def tables(html):
    """Return for each table its classes, whether it lies in a box that scrolls, and the tags of its body."""
    found, boxes, open_table = [], [], None
    for tag, attributes in Page(html).tags:
        if tag == "div":
            boxes.append(attributes.get("class", ""))
        elif tag == "table":
            open_table = (attributes.get("class", "").split(), "scroll" in boxes[-1].split(), [])
            found.append(open_table)
        elif open_table is not None and tag in ("td", "tr"):
            open_table[2].append((tag, attributes))
    return found


def op(number, ms, name="Convolution", delegate=0):
    return OpTime(
        name, "conv2d", f"blocks.{number}", delegate, ms, ms, ms / 20, "XNNPACK profiler", 9, 9, 0.0, ms
    )


@pytest.fixture
def whole(tuned):
    """Return a bundle with every part that a report can show, on a modelled and on a measured target."""
    keep_profile(tuned, profile_of(tuned))
    RecordLog(tuned.path / "records" / "local.jsonl").append(
        measured(tuned, [4.0 + 0.1 * i for i in range(50)])
    )
    return tuned


def profile_of(bundle, ops=None):
    ops = tuple(op(i, 0.1 * (i + 1)) for i in range(12)) if ops is None else ops
    return Profile(
        bundle.manifest.variants[0].name,
        "litert",
        "ai-edge-litert 2.3.0",
        1,
        20,
        7.9,
        8.0,
        ops,
        8.0,
        ("cold",),
    )


def test_every_table_folds_on_a_phone_or_scrolls_in_a_box_of_its_own(whole):
    found = tables(render_report(whole))
    assert len(found) >= 9
    for classes, scrolls, body in found:
        assert scrolls or "fold" in classes
        if scrolls:
            continue
        place = 0
        for tag, attributes in body:
            place = 0 if tag == "tr" else place + 1
            if place > 1 and "track" not in attributes.get("class", "") and "colspan" not in attributes:
                assert attributes.get("data-label"), attributes  # its heading is hidden when the row folds


def test_nothing_but_the_wide_drawing_of_a_plot_is_hidden_on_a_phone(whole):
    narrow = rules("screen and (max-width: 700px)")
    hidden = re.findall(r"([^{};]+)\{[^}]*display: none", narrow)
    labels = ".slim td[data-label]::before"  # of tables whose figures say what they are by their unit
    assert [selector.strip() for selector in hidden] == [".wide", ".fold thead", labels]
    html = render_report(whole)
    assert html.count('<div class="wide">') == html.count('<div class="narrow">') == html.count('"wide"') > 0


def test_paper_gets_every_table_whole():
    paper = rules("print")
    assert "details::details-content { content-visibility: visible" in paper
    assert re.search(r"\.scroll \{[^}]*overflow: visible; max-height: none", paper)
    kept_together = re.search(r"([^{}]+)\{ break-inside: avoid", paper)[1]
    assert not re.search(r"\.card\b(?! )", kept_together)  # a card longer than a page would leave one empty
    assert "@media (max-width" not in CSS  # paper may be as narrow as a phone, and shows no folded table
    assert "@media (prefers-color-scheme: dark)" not in CSS


def test_the_script_unfolds_what_is_printed_and_folds_it_again():
    script = (Path(edgekit.report.__file__).parent / "report.js").read_text(encoding="utf-8")
    assert 'addEventListener("beforeprint"' in script
    assert 'addEventListener("afterprint"' in script


def test_no_row_says_none(make_bundle):
    source = {
        "model": {"name": "net", "dropout": None, "at": [None], "deep": {}},
        "weights": None,
        "ema": True,
    }
    bundle = make_bundle(source=source, delegations={"litert-fp32": FALLBACK})
    RecordLog(bundle.path / "records" / "local.jsonl").append(
        replace(measured(bundle, [5.0] * 9), first_frame_ms=None, load_ms=None, setting_read=None)
    )
    text = Page(render_report(bundle)).text
    assert not re.search(r"\bNone\b|\bTrue\b|\[\]|\{\}", text)
    assert "ema yes" in text
    assert "model.dropout" not in text


def test_readings_that_nobody_took_have_no_column(make_bundle):
    bundle = make_bundle()
    record = measured(bundle, [5.0 + 0.1 * i for i in range(9)])
    log = RecordLog(bundle.path / "records" / "local.jsonl")
    log.append(replace(record, first_frame_ms=None, load_ms=None))
    text = Page(render_report(bundle)).text
    assert "p99" in text
    assert "first frame" not in text
    assert "loading" not in text
    assert "power" not in text.partition("How latencies spread")[0].partition("On local")[2]
    log.append(replace(record, block=1, first_frame_ms=12.5, load_ms=31.0))
    text = Page(render_report(bundle)).text
    assert "first frame" in text
    assert "12.5 ms 31.0 ms 18" in text


def test_the_ten_slowest_ops_and_what_the_others_take(whole):
    text = Page(render_report(whole)).text
    ops = text.partition("Slowest ops of litert-fp32 measured")[2].partition("The other 2 ops")[0]
    assert "The ten of 12 ops" in ops
    assert re.findall(r"blocks\.(\d+)", ops) == [str(i) for i in range(11, 1, -1)]
    assert "The other 2 ops take 0.300 ms together" in text
    assert "Cold." in text


def test_without_a_profile_the_command_is_named(make_bundle):
    bundle = make_bundle()
    log = RecordLog(bundle.path / "records" / "local.jsonl")
    log.append(measured(bundle, [5.0] * 9))
    assert "edgekit profile digits.edgekit --target local times them" in Page(render_report(bundle)).text
    keep_profile(bundle, profile_of(bundle))
    assert "is not known yet" not in Page(render_report(bundle)).text


def test_a_profile_is_as_untrusted_as_the_rest(make_bundle):
    bundle = make_bundle()
    RecordLog(bundle.path / "records" / "local.jsonl").append(measured(bundle, [5.0] * 9))
    keep_profile(bundle, profile_of(bundle, (op(0, 0.0, EVIL, None), op(1, 0.0))))
    page = Page(render_report(bundle))
    assert "img" not in [tag for tag, _ in page.tags]
    assert "outside the delegate" in page.text
    path = next((bundle.path / "profiles").iterdir())
    path.write_text("[]")
    assert "local.litert-fp32.json does not fit its schema" in Page(render_report(bundle)).text


def test_governors_that_end_up_alike_share_a_row(tuned):
    policy = load_policy(tuned, TARGET)
    ours = next(outcome for outcome in policy.comparison if outcome.governor == "policy")
    other = next(outcome for outcome in policy.comparison if outcome.governor == "performance")
    slow = replace(ours, governor="powersave", late_frames=ours.frames, misses_deadline=True, saved_pct=9.0)
    comparison = (other, ours, replace(ours, governor="best"), slow)
    text = Page(render_report(save_policy(tuned, replace(policy, comparison=comparison)))).text
    rows = text.partition("Against the kernel's governors")[2]
    assert rows.index("policy, exhaustive best") < rows.index("performance")
    assert re.search(r"powersave .{5,40} misses the deadline", rows)
    assert "too slow" in rows


def test_the_headline_says_when_the_governor_it_names_is_late(tuned):
    policy = load_policy(tuned, TARGET)
    late = tuple(
        replace(o, saved_pct=12.0, late_frames=3, misses_deadline=True) if o.governor == "eas" else o
        for o in policy.comparison
    )
    text = Page(render_report(save_policy(tuned, replace(policy, comparison=late)))).text
    assert f"12 % less than EAS + schedutil, which is late on 3 of {late[0].frames} frames." in text


def test_many_settings_show_the_fastest_of_each_ladder_and_fold_the_others_away(make_bundle):
    bundle = make_bundle()
    log = RecordLog(bundle.path / "records" / "local.jsonl")
    for modelled in bench(bundle):
        log.append(
            measured(bundle, [s * 2 for s in modelled.samples_ms] * 3, modelled.setting, modelled.variant)
        )
    (bundle.path / "records" / "virtual-gs101.jsonl").unlink()
    html = render_report(bundle)
    assert "The other 80 settings" in html
    assert html.count('class="hist"') == 86


def test_machines_that_share_a_name_are_shown_apart(tuned):
    log = RecordLog(tuned.path / "records" / "local.jsonl")
    for name, ms in (("Pi 4", 99.0), ("laptop", 5.0)):
        log.append(replace(measured(tuned, [ms] * 9), device={"name": name}))
    html = render_report(tuned)
    assert html.index("On local, laptop") < html.index("On local, Pi 4")
    laptop = html[html.index("On local, laptop") : html.index("On local, Pi 4")]
    assert "are also of Pi 4, shown apart" in laptop
    assert "99" not in "".join(re.findall(r"[0-9.]+ ms", laptop))
