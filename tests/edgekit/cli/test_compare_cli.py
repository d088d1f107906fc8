import json
import shutil

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.device.meters.memory import MemoryUse
from runtime.measure.records import RecordLog
from tests.runtime.measure.toy_records import blocks_of
from tests.runtime.tflite_builder import write_doubling_conv


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two model files and two files of records, in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(write_doubling_conv(tmp_path / "a.tflite"), tmp_path / "b.tflite")
    for name, latency_ms in (("a", 10.0), ("b", 11.0)):
        for record in blocks_of(latency_ms, seed=int(latency_ms)):
            RecordLog(tmp_path / f"{name}.jsonl").append(record)
    return tmp_path


def run(*args):
    return CliRunner().invoke(cli, ["compare", *args])


def test_two_files_of_records(files):
    result = run("a.jsonl", "b.jsonl")
    assert result.exit_code == 0
    [row] = [line for line in result.stdout.splitlines() if line.startswith("litert")]
    assert row.endswith("slower")
    assert " % (+" in row
    assert "5 and 5 blocks, apart" in result.stderr


def test_the_gate(files):
    assert run("a.jsonl", "b.jsonl", "--max-slowdown", "20%").exit_code == 0
    failed = run("a.jsonl", "b.jsonl", "--max-slowdown", "5%")
    assert failed.exit_code == 3
    assert "slower by more than the 5.0% allowed" in failed.stderr
    assert run("b.jsonl", "a.jsonl", "--max-slowdown", "0").exit_code == 0


def test_the_gate_of_memory(files):
    for name, model_bytes in (("small", 8_000_000), ("large", 10_000_000)):
        for record in blocks_of(10.0, memory=MemoryUse(90_000_000, model_bytes)):
            RecordLog(files / f"{name}.jsonl").append(record)
    result = run("small.jsonl", "large.jsonl", "--max-memory", "30%")
    assert (result.exit_code, "+25.0 %" in result.stdout) == (0, True)
    failed = run("small.jsonl", "large.jsonl", "--max-memory", "20%")
    assert failed.exit_code == 3
    assert "more memory than the 20.0% allowed: litert-fp32 big @ 2000 MHz x1: +25.0 %" in failed.stderr
    unknown = run("small.jsonl", "a.jsonl", "--max-memory", "20%")
    assert (unknown.exit_code, "memory of A or B is unknown" in unknown.stderr) == (3, True)


def test_two_models_on_a_virtual_phone(files):
    result = run("a.tflite", "b.tflite", "--target", "virtual:gs101", "--cluster", "big", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert {one["verdict"] for one in found} == {"no difference"}
    assert len(list(RecordLog(files / "a-vs-b/a.jsonl"))) == len(found) > 1
    again = run("a-vs-b/a.jsonl", "a-vs-b/b.jsonl")
    assert again.exit_code == 0


def test_two_models_on_this_machine(files):
    result = run("a.tflite", "b.tflite", "--blocks", "2", "--runs", "5", "--retries", "0", "-o", "out")
    assert result.exit_code == 0
    assert "4/4 b.tflite litert-fp32" in result.stderr or "4/4 a.tflite litert-fp32" in result.stderr
    assert "cannot tell" in result.stdout  # a few microseconds of work prove nothing
    assert "too short to see who disturbed it" in result.stderr
    assert len(list(RecordLog(files / "out/b.jsonl"))) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.jsonl", "b.tflite"], "give two bundles or model files, or two .jsonl files of records"),
        (["a.jsonl", "none.jsonl"], "'none.jsonl' does not exist"),
        (["a.jsonl", "b.jsonl", "--max-slowdown", "a lot"], "'a lot' is no share; write it as 5% or 0.05"),
        (["a.jsonl", "b.jsonl", "--cluster", "huge"], "nothing to compare"),
    ],
)
def test_wrong_usage(files, args, message):
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
