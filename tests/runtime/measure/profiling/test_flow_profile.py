"""A whole flow profiled: the ops of every graph, each graph's share of a frame."""

import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.errors import DeviceStableError
from runtime.flow.frames import as_frames
from runtime.measure.profiling.flow_profile import profile_flow
from runtime.measure.profiling.kept import load_profiles
from runtime.targets import open_target
from tests.runtime.small_flow import make_flow

WHOLE = "flow:litert-fp32"
RUNS = ("--runs", "4")


def profile(bundle, *arguments):
    return CliRunner().invoke(cli, ["profile", str(bundle.path), *RUNS, *arguments])


def test_shares_are_of_the_frame_and_add_up_to_it(tmp_path):
    found = profile_flow(as_frames(make_flow(tmp_path)), WHOLE, runs=4, warmup=1)
    assert [(one.graph, one.runs) for one in found.graphs] == [("bar", 1), ("note", 4)]
    assert [part.name for part in found.parts] == ["pre-step", "bar", "note", "post-step"]
    assert sum(map(found.share, found.parts)) == pytest.approx(1)
    assert found.latency_ms == pytest.approx(sum(part.latency_ms for part in found.parts))
    for one in found.graphs:
        assert one.share == pytest.approx(one.latency_ms / found.latency_ms)
        assert one.profile.variant == f"{one.graph}-litert-fp32"
        assert len(one.profile.ops) == 1


def test_the_command_names_each_graph_and_keeps_its_profile(tmp_path):
    bundle = make_flow(tmp_path)
    shown = profile(bundle, "--variant", WHOLE)
    assert shown.exit_code == 0, shown.output
    assert "graph bar, 1 run a frame, " in shown.stdout
    assert "graph note, 4 runs a frame, " in shown.stdout
    assert "a frame is 4 steps, one of its bars" in shown.stdout
    assert [kept.profile.variant for kept in load_profiles(bundle, "local")] == [
        "bar-litert-fp32",
        "note-litert-fp32",
    ]
    both = json.loads(profile(bundle, "--json").stdout)
    assert [one["variant"] for one in both] == [WHOLE, "flow:litert-dynamic_wi8_afp32"]
    assert [one["graph"] for one in both[0]["graphs"]] == ["bar", "note"]


def test_a_graphs_file_by_name_is_profiled_alone(tmp_path):
    shown = profile(make_flow(tmp_path), "--variant", "note-litert-fp32", "--json")
    (one,) = json.loads(shown.stdout)
    assert (one["variant"], len(one["ops"])) == ("note-litert-fp32", 1)


def test_a_modelled_phone_times_no_ops(tmp_path):
    with pytest.raises(DeviceStableError, match=r"comes without a table|gives no times of single ops"):
        profile_flow(as_frames(make_flow(tmp_path)), WHOLE, target=open_target("virtual:gs101"))
