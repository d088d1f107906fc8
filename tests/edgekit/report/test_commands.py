"""The commands that a report tells are those that were run, and safe to copy into a shell."""

import shlex
from dataclasses import replace

import pytest

from edgekit.report import render_report
from edgekit.report.commands import commands_of
from edgekit.report.content import collect
from runtime.bundle import Bundle
from runtime.choose.policy.battery_life import BatteryLife
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.policy import load_policy, save_policy
from runtime.govern.run.run import Prediction
from runtime.govern.run.runs import save_run
from runtime.measure.records import RecordLog
from tests.edgekit.report.markup import Page
from tests.edgekit.report.tuned_bundle import (
    FALLBACK,
    SOURCE,
    TARGET,
    add_fit,
    bench,
    measured,
    run_result,
    tune,
)


def lines(bundle):
    return [command.line for command in commands_of(collect(bundle))]


def line(bundle, command):
    (found,) = [one for one in lines(bundle) if one.split()[1] == command]
    return found


def with_source(bundle, **source):
    return replace(bundle, manifest=replace(bundle.manifest, source=source))


def test_a_tuned_bundle_tells_its_commands_in_order(tuned):
    bundle = with_source(tuned, model={"name": "mobilenet_v2"}, weights="random")
    assert lines(bundle) == [
        "edgekit export mobilenet_v2 -o digits.edgekit --weights none --engine litert --engine executorch",
        f"edgekit bench digits.edgekit --target {TARGET} --threads 1",
        f"edgekit fit digits.edgekit --target {TARGET}",
        f"edgekit tune digits.edgekit --target {TARGET} --fps 30",
        "edgekit report digits.edgekit",
    ]
    assert lines(bundle)[1] in Page(render_report(bundle)).text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"checkpoint": {"folder": "pruned"}}, "export pruned -o"),
        ({"user_model": {"file": "net.py", "function": "make"}}, "export net.py:make -o"),
        ({"model": {"name": "resnet50"}, "weights": "ImageNet, package x"}, "export resnet50 -o"),
    ],
)
def test_the_model_is_named_as_far_as_the_manifest_tells(make_bundle, source, words):
    assert words in line(with_source(make_bundle(), **source), "export")


@pytest.mark.parametrize("source", [{}, SOURCE, {"model": {"name": "--help"}}, {"model": {"name": 3}}])
def test_an_export_that_nothing_tells_of_is_left_out(make_bundle, source):
    assert not any(one.startswith("edgekit export") for one in lines(with_source(make_bundle(), **source)))


def test_ops_that_were_allowed_and_weights_that_are_not_kept_are_told(make_bundle):
    bundle = make_bundle(delegations={"litert-fp32": FALLBACK})
    bundle = with_source(bundle, model={"name": "net"}, weights="ImageNet, a file of the user")
    (command, *_) = commands_of(collect(bundle))
    assert command.line.endswith("--allow-fallback aten.topk.default")
    assert command.remark == "The file of its weights is not kept: add --weights."


def test_every_part_of_the_goal_comes_back(tuned):
    policy = load_policy(tuned, TARGET)
    goal = Goal(
        "race-to-sleep", 60.0, 14.0, 10.0, quantile=0.95, max_power_mw=900.0, base_mw=730.0, sleep_mw=5.0
    )
    battery = BatteryLife(4000.0, "as given", 100.0, 40.0, True)
    only = tuple(e for e in policy.considered if e.variant == policy.variant)
    asked = replace(policy, goal=goal, battery=battery, considered=only)
    assert line(save_policy(tuned, asked), "tune").partition(TARGET)[2] == (
        " --fps 60 --margin 10 --objective race-to-sleep --latency-ms 14 --quantile 0.95 --max-power-mw 900 "
        f"--base-mw 730 --sleep-mw 5 --battery-mwh 4000 --variant {policy.variant}"
    )


def test_a_run_names_what_it_did_otherwise_than_the_policy(tuned):
    policy = load_policy(tuned, TARGET)
    save_run(tuned, run_result(policy))
    assert line(tuned, "run") == f"edgekit run digits.edgekit --target {TARGET} --frames 60"
    other = replace(run_result(policy), fps_target=20.0, deadline_ms=9.0, variant="executorch-fp32")
    save_run(tuned, replace(other, predictions=(Prediction("a photo.png", ()),)))
    assert line(tuned, "run").partition(TARGET)[2] == (
        " --input 'a photo.png' --variant executorch-fp32 --fps 20 --latency-ms 9 --frames 60"
    )


def test_a_measured_bench_tells_its_plan(make_bundle):
    bundle = make_bundle()
    log = RecordLog(bundle.path / "records" / "local.jsonl")
    log.append(replace(measured(bundle, [9.0] * 30), run="an older bench"))
    for block in range(2):
        log.append(replace(measured(bundle, [5.0] * 50), block=block, seed=3))
    assert line(bundle, "bench") == (
        "edgekit bench digits.edgekit --target local --variant litert-fp32 --threads 1 --runs 50 --warmup 5 "
        "--blocks 2 --seed 3"
    )


@pytest.mark.parametrize(
    ("keeps", "options"),
    [
        (lambda cluster, place, last: place % 3 == last % 3 or place == 0, "--every 3"),
        (lambda cluster, place, last: cluster == "big", "--cluster big"),
        (lambda cluster, place, last: cluster == "big" and place == 2, "--cluster big --freq-khz"),
    ],
)
def test_the_clocks_that_were_benched_are_told(make_bundle, keeps, options):
    bundle = make_bundle()
    clocks = {}
    for record in bench(bundle):
        khz = clocks.setdefault(record.setting.cluster, [])
        khz += [] if record.setting.freq_khz in khz else [record.setting.freq_khz]
    log = bundle.path / "records" / "virtual-gs101.jsonl"
    kept = [
        text
        for record, text in zip(RecordLog(log), log.read_bytes().splitlines(keepends=True), strict=True)
        for khz in [sorted(clocks[record.setting.cluster])]
        if keeps(record.setting.cluster, khz.index(record.setting.freq_khz), len(khz) - 1)
    ]
    log.write_bytes(b"".join(kept))
    assert f"--threads 1 {options}" in line(bundle, "bench")


def test_names_of_a_bundle_cannot_run_anything_in_a_shell(make_bundle):
    bundle = with_source(make_bundle(), model={"name": "x; rm -rf ~ $(id) `id` '\"", "z": 1})
    assert shlex.split(line(bundle, "export"))[2] == "x; rm -rf ~ $(id) `id` '\""
    hidden = with_source(bundle, model={"name": "net\u202e\nrm -rf ~"})
    assert not any("rm" in one for one in lines(hidden))


def test_a_fit_brought_over_names_where_from(make_bundle):
    bundle = add_fit(make_bundle())
    tune(bundle, bench(bundle))
    path = bundle.path / "predictors" / "virtual-gs101.json"
    data = path.read_bytes().replace(b'"source":null', b'"source":"virtual:sdm845"')
    again = bundle.add("predictors/virtual-gs101.json", data, "predictor")
    assert "fit digits.edgekit --target virtual:gs101 --from virtual:sdm845" in line(
        Bundle.open(again.path), "fit"
    )
