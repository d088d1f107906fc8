import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import Bundle, new_bundle
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.profiling.kept import load_profiles
from tests.runtime.tflite_builder import write_summing_net


@pytest.fixture(scope="module")
def tflite(tmp_path_factory):
    return str(write_summing_net(tmp_path_factory.mktemp("tflite") / "summing.tflite"))


def run(*args):
    return CliRunner().invoke(cli, ["profile", *args, "--runs", "4"])


def test_a_table_of_ops_kinds_and_the_sum(tflite):
    shown = run(tflite)
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.stdout.splitlines()]
    (outside,) = [row for row in rows if row[:1] == ["CUMSUM"]]
    assert outside[1:4] == ["other", "sum", "outside"]
    assert outside[-2:] == ["LiteRT", "profiler"]
    assert "ms per frame under the profiler;" in shown.stdout
    assert "whole microseconds" in shown.stderr


def test_top_keeps_the_slowest(tflite):
    shown = run(tflite, "--top", "1").stdout
    table = shown[: shown.index("kind of op")]
    assert sum("profiler" in line for line in table.splitlines()) == 1


def test_json_and_trace(tflite, tmp_path):
    trace = tmp_path / "trace.json"
    shown = run(tflite, "--json", "--trace", str(trace))
    (profile,) = json.loads(shown.stdout)
    assert [op["delegate"] for op in profile["ops"]] == [0, None, 1]
    assert len([e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]) == 4


def test_a_bundle_keeps_its_profile_and_a_bare_file_does_not(tflite, tmp_path):
    manifest = open_bundle_or_model(tflite).manifest
    with new_bundle(tmp_path / "net.edgekit") as writer:
        writer.add("summing.tflite", Path(tflite).read_bytes(), "model")
        writer.finish(manifest)
    bundle = Bundle.open(tmp_path / "net.edgekit")
    assert run(str(bundle.path)).exit_code == 0
    assert [kept.profile.runs for kept in load_profiles(bundle, "local")] == [4]
    assert run(tflite).exit_code == 0
    assert not (Path(tflite).parent / "profiles").exists()


def test_an_engine_the_file_is_not_for_is_a_usage_error(tflite):
    shown = run(tflite, "--engine", "executorch")
    assert shown.exit_code == 2
    assert "choose from: litert-fp32 (litert)" in shown.stderr
