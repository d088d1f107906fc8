import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
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


def test_an_engine_the_file_is_not_for_is_a_usage_error(tflite):
    shown = run(tflite, "--engine", "executorch")
    assert shown.exit_code == 2
    assert "choose from: litert-fp32 (litert)" in shown.stderr
