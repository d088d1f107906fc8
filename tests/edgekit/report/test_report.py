"""The report shows what the bundle holds, says what it lacks, and trusts none of its texts."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from PIL import Image

from edgekit.cli import cli
from edgekit.report import render_report, units, write_report
from edgekit.report.content import collect
from runtime.bundle import Bundle, Quantization
from runtime.choose.policy.policy import load_policy, save_policy
from runtime.device.provenance import Provenance
from runtime.errors import DataError
from runtime.govern.run.run import Prediction
from runtime.govern.run.runs import save_run
from runtime.measure.records import RecordLog
from runtime.processing.classify import Guess
from tests.edgekit.report.markup import EVIL, Page
from tests.edgekit.report.tuned_bundle import FALLBACK, SOURCE, TARGET, add_fit, bench, run_result, tune


def test_headline_says_what_was_chosen_and_saved(tuned):
    policy = load_policy(tuned, TARGET)
    text = Page(render_report(tuned)).text
    assert f"At 30 FPS on virtual:gs101, {policy.variant} on {policy.setting} takes" in text
    saved = {o.governor: o.saved_pct for o in policy.comparison}
    assert f"{saved['eas']:.0f} % less than EAS + schedutil" in text
    assert "less than performance" not in text
    assert "98.1 % of the checkpoint, test set measured" in text
    assert "201 M pruned from 312 M (−36 %)" in text


def test_a_target_with_energy_goes_first_whichever_was_tuned_last(tuned):
    policy = load_policy(tuned, TARGET)
    dark = replace(policy.chosen, power_mw=None, energy_mj=None)
    local = replace(policy, target="local", chosen=dark, considered=(dark,), comparison=())
    manifest = save_policy(tuned, local).manifest
    for files in (manifest.files, manifest.files[::-1]):
        text = Page(render_report(replace(tuned, manifest=replace(manifest, files=files)))).text
        assert f"At 30 FPS on {TARGET}," in text
        assert text.index(f"On {TARGET}") < text.index("On local")


def test_every_part_is_there(tuned):
    text = Page(render_report(tuned)).text
    for part in (
        "Every setting that was considered modelled",
        "Against the kernel's governors modelled",
        "Where a frame's time goes modelled",
        "Predictor modelled",
        "Variants",
        "Delegation counted Every op of every variant runs in one delegate.",
        "Parity with eager measured",
        "on 32 × images of the test set 3.1e-06 0.0001 118 dB",
        "recipe.label_smoothing 0.1",
        "version of torch 2.13.0",
    ):
        assert part in text


def test_plot_has_every_setting_and_names_the_chosen_and_the_baselines(tuned):
    policy = load_policy(tuned, TARGET)
    wide = render_report(tuned).split('<div class="wide">')[1].split("</svg>")[0]
    page = Page(wide + "</svg>")
    points = [attrs for _, attrs in page.tags if attrs.get("class", "").startswith("point")]
    assert len(points) == len(policy.considered) == 86
    assert {"chosen, exhaustive best", "performance", "schedutil", "powersave (late)"} <= set(page.texts)
    chosen = next(attrs for _, attrs in page.tags if attrs.get("class") == "mark chosen")
    assert str(policy.setting) in chosen["data-tip"]
    enough = next(attrs for _, attrs in page.tags if attrs.get("class") == "enough")
    assert float(chosen["cx"]) >= float(enough["x"])


def test_file_is_self_contained(tuned):
    page = Page(render_report(tuned))
    tags = [tag for tag, _ in page.tags]
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(tags)
    assert [attrs for _, attrs in page.tags if {"src", "href", "srcset"} & attrs.keys()] == []
    assert "url(" not in render_report(tuned)
    assert "@import" not in render_report(tuned)


def test_only_our_script_may_run(tuned):
    html = render_report(tuned)
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] for _, a in Page(html).tags if a.get("http-equiv"))
    assert (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
        in policy
    )


def test_texts_of_a_bundle_are_escaped(make_bundle):
    source = SOURCE | {"model": EVIL, EVIL: EVIL, "list": [EVIL]}
    outside = replace(FALLBACK.fallback[0], op=EVIL, module_path=EVIL, reason=EVIL)
    delegations = {"litert-fp32": replace(FALLBACK, fallback=(outside,))}
    bundle = make_bundle(name=EVIL, labels=(EVIL, "b"), source=source, delegations=delegations)
    bundle = tune(bundle, bench(bundle))
    evil = replace(load_policy(bundle, TARGET), reason=EVIL, energy_source=EVIL, notes=(EVIL,))
    html = render_report(save_policy(bundle, evil))
    page = Page(html)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert page.text.count("<script>alert(1)</script>") >= 8


def test_evil_cluster_and_variant_names_stay_text_in_the_plot(tuned):
    policy = load_policy(tuned, TARGET)
    setting = replace(policy.setting, cluster=EVIL)
    considered = tuple(replace(e, setting=replace(e.setting, cluster=EVIL)) for e in policy.considered)
    comparison = tuple(replace(o, governor=EVIL, cluster=EVIL) for o in policy.comparison)
    chosen = replace(policy.chosen, setting=setting)
    evil = replace(policy, chosen=chosen, considered=considered, comparison=comparison)
    page = Page(render_report(save_policy(tuned, evil)))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]


def test_last_run_is_shown(tuned):
    policy = load_policy(tuned, TARGET)
    guesses = (Guess("eight", 0.987), Guess(EVIL, 0.01))
    run = replace(run_result(policy), predictions=(Prediction(EVIL, guesses),))
    save_run(tuned, run)
    page = Page(render_report(tuned))
    assert "Last run modelled 60 frames at 30 FPS" in page.text
    assert "28.9 ms median, 29.5 ms at the 90th percentile" in page.text
    assert "late frames 2 of 60, due 33.3 ms after they arrive energy per frame 5.20 mJ" in page.text
    assert "setting read back the machine does not tell" in page.text
    assert "eight 98.7 %" in page.text
    assert "img" not in [tag for tag, _ in page.tags]


# --- missing parts -----------------------------------------------------------------------------


def test_bundle_without_any_target_says_how_to_go_on(make_bundle):
    text = Page(render_report(make_bundle())).text
    assert "Not tuned yet" in text
    assert "edgekit bench digits.edgekit --target virtual:gs101" in text
    assert "Parity with eager" in text


def test_bundle_that_was_only_benched_shows_its_records(make_bundle):
    bundle = make_bundle()
    records = bench(bundle)
    html = render_report(bundle)
    assert html.count('class="point ') == 2 * len(records)  # for wide and for narrow screens
    text = Page(html).text
    assert "Every setting that was benched" in text
    assert f"has no policy for {TARGET}; make one: edgekit tune" in text


def test_policy_of_an_older_export_is_not_shown(make_bundle):
    bundle = make_bundle()
    policy = load_policy(tune(bundle, bench(bundle)), TARGET)
    stale = save_policy(Bundle.open(bundle.path), replace(policy, model_sha256="0" * 64))
    text = Page(render_report(stale)).text
    assert "tune again: edgekit tune" in text
    assert "Not tuned yet" in text


def test_damaged_records_leave_the_rest(tuned):
    (tuned.path / "records" / "virtual-gs101.jsonl").write_text('{"model": 3}\n')
    text = Page(render_report(tuned)).text
    assert "line 1 is not a record" in text
    assert "Against the kernel's governors" in text


def test_records_of_other_files_are_not_mixed_in(make_bundle):
    bundle = make_bundle()
    log = RecordLog(bundle.path / "records" / "virtual-gs101.jsonl")
    log.append(replace(bench(bundle)[0], model_sha256="0" * 64, samples_ms=(999.0,)))
    assert "999 ms" not in render_report(bundle)


def test_bundle_without_source_workload_or_reports_still_reads(make_bundle):
    bundle = make_bundle(source={})
    bare = tuple(replace(v, workload=None, delegation=None, parity=None) for v in bundle.manifest.variants)
    text = Page(render_report(replace(bundle, manifest=replace(bundle.manifest, variants=bare)))).text
    assert "not recorded" in text
    assert "Top-1 accuracy" not in text


def test_op_outside_the_delegate_is_listed(make_bundle):
    text = Page(render_report(make_bundle(delegations={"litert-fp32": FALLBACK}))).text
    assert "Outside the delegate in litert-fp32" in text
    assert "aten.topk.default head.topk 31.4 % XNNPACK has no topk by name" in text
    assert "Every op of every variant" not in text


def test_a_quantised_variant_tells_its_score_beside_the_float_one(make_bundle):
    bundle = make_bundle()
    assert "float 74.1 %" not in Page(render_report(bundle)).text
    first, *others = bundle.manifest.variants
    scored = replace(first, quantization=Quantization(accuracy=0.728, accuracy_fp32=0.741))
    scored_bundle = replace(bundle, manifest=replace(bundle.manifest, variants=(scored, *others)))
    text = Page(render_report(scored_bundle)).text
    assert "72.8 % float 74.1 %" in text


def test_a_score_that_is_no_share_is_no_percentage(tuned):
    content = collect(tuned)
    assert content.score_text(0.728) == units.percent(72.8)
    assert replace(content, metric="psnr_db").score_text(31.25) == "31.25"


def test_pictures_of_results_are_inside(tuned, tmp_path):
    Image.new("RGB", (2000, 1000), (200, 30, 30)).save(tmp_path / "parsed.png")
    html = render_report(tuned, pictures=[tmp_path / "parsed.png"])
    (address,) = [a["src"] for name, a in Page(html).tags if name == "img"]
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (shown.size, shown.getpixel((9, 9))) == ((960, 480), (200, 30, 30))
    assert "What it finds" not in render_report(tuned)
    with pytest.raises(DataError, match=r"there is no image at .*none\.png"):
        write_report(tuned, tmp_path / "r.html", pictures=[tmp_path / "none.png"])
    assert not (tmp_path / "r.html").exists()


def test_target_that_no_setting_can_serve_is_told(make_bundle):
    bundle = make_bundle()
    bundle = tune(bundle, bench(bundle), fps=500)
    text = Page(render_report(bundle)).text
    assert "Nothing on virtual:gs101 keeps up with 500 FPS" in text


def test_without_energy_the_plot_shows_core_time(tuned):
    policy = load_policy(tuned, TARGET)
    considered = tuple(replace(e, power_mw=None, energy_mj=None) for e in policy.considered)
    comparison = tuple(replace(o, energy_mj=None, saved_pct=None) for o in policy.comparison)
    chosen = replace(policy.chosen, power_mw=None, energy_mj=None)
    blind = replace(policy, chosen=chosen, considered=considered, comparison=comparison)
    html = render_report(save_policy(tuned, blind))
    assert "core time, ms (no energy known)" in html
    assert "needs the least core time" in html


def test_energy_is_called_what_the_policy_calls_it(tuned):
    for kind in Provenance:
        policy = replace(load_policy(tuned, TARGET), energy_provenance=kind)
        assert f"mW while busy {kind}" in Page(render_report(save_policy(tuned, policy))).text


def test_one_target_can_be_asked_for(tuned):
    other = add_fit(tuned)
    (other.path / "records" / "local.jsonl").write_bytes(b"")
    assert "On local" in Page(render_report(other)).text
    assert "On local" not in Page(render_report(other, TARGET)).text


# --- the command -------------------------------------------------------------------------------


def test_command_writes_beside_the_bundle_or_where_asked(tuned, tmp_path):
    shown = CliRunner().invoke(cli, ["report", str(tuned.path)])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == f"{tuned.path.with_suffix('.html')}\n"
    shown = CliRunner().invoke(cli, ["report", str(tuned.path), "-o", str(tmp_path / "r.html"), "--json"])
    assert json.loads(shown.stdout) == {"report": str(tmp_path / "r.html")}
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_command_refuses_what_is_no_bundle(tmp_path):
    shown = CliRunner().invoke(cli, ["report", str(tmp_path)])
    assert shown.exit_code == 1
    assert "is not a bundle" in shown.stderr


def test_report_into_a_missing_folder_is_refused(tuned, tmp_path):
    with pytest.raises(DataError, match="must be a folder"):
        write_report(tuned, tmp_path / "no" / "r.html")


def test_report_does_not_tell_where_the_bundle_lies(make_bundle):
    bundle = make_bundle()
    bench(bundle)
    assert str(bundle.path.parent) not in render_report(bundle)


def test_a_file_of_the_bundle_opens_no_file_of_this_machine(tuned, tmp_path):
    soc = tmp_path / "private.toml"
    soc.write_text("secret = 'of this machine'")
    (record, *_) = RecordLog(tuned.path / "records/virtual-gs101.jsonl")
    forged = RecordLog(tuned.path / "records/forged.jsonl")
    forged.append(replace(record, target=f"virtual:{soc}"))
    (tuned.path / "records/folder.jsonl").mkdir()
    text = Page(render_report(tuned)).text
    assert "its SoC file is opened only where you name it" in text
    assert "secret" not in text
    assert "secret" in Page(render_report(tuned, target=f"virtual:{soc}")).text
