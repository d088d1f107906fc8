import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.measure.records import RecordLog
from tests.runtime.tflite_builder import write_doubling_conv


@pytest.fixture
def tflite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(write_doubling_conv(tmp_path / "double.tflite"))


def run(*args):
    return CliRunner().invoke(cli, ["bench", *args])


def test_a_bare_tflite_file_on_this_machine(tflite, tmp_path):
    result = run(tflite, "--runs", "5", "--blocks", "2")
    assert result.exit_code == 0
    assert "litert-fp32  cpu @ kernel clock x1" in result.stdout
    assert "measured" in result.stdout
    assert "1/2 litert-fp32 cpu @ kernel clock x1" in result.stderr
    assert "records: double.tflite.local.jsonl" in result.stderr
    assert len(list(RecordLog(tmp_path / "double.tflite.local.jsonl"))) == 2


def test_a_virtual_phone_prints_modelled_figures(tflite, tmp_path):
    out = tmp_path / "r.jsonl"
    result = run(
        tflite,
        "--target",
        "virtual:gs101",
        "--cluster",
        "big",
        "--freq-khz",
        "500000",
        "-o",
        str(out),
        "--wide",
    )
    [row] = [line.split() for line in result.stdout.splitlines() if line.startswith("litert")]
    assert row[1:6] == ["big", "@", "500", "MHz", "x1"]
    assert row[row.index("53.11") + 2 :][:4] == ["modelled", "latency", "x", "measured"]
    assert "modelled: may truly take" in result.stderr
    assert len(list(RecordLog(out))) == 1


def test_json_is_the_records(tflite):
    result = run(tflite, "--target", "virtual:gs101", "--cluster", "mid", "--threads", "2", "--json")
    records = json.loads(result.stdout)
    assert len(records) == 14
    assert {record["setting"]["threads"] for record in records} == {2}
    assert records[0]["latency_ms"] == records[0]["samples_ms"][0]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["none.tflite"], 1, "there is no model file at none.tflite"),
        (["{tflite}", "--target", "sdm845"], 2, "did you mean virtual:sdm845"),
        (["{tflite}", "--target", "virtual:gs101", "--freq-khz", "5"], 2, "no clock of 5 kHz"),
        (["{tflite}", "--target", "virtual:gs101", "--cluster", "huge"], 2, "no cluster 'huge'"),
        (["{tflite}", "--engine", "executorch"], 2, "no variant with engine"),
        (["{tflite}", "--variant", "x"], 2, "unknown variant 'x'"),
        (["{tflite}", "--threads", "999"], 2, "threads is [999]"),
        (["{tflite}", "--runs", "0"], 2, "runs"),
    ],
)
def test_bad_arguments_are_one_line(tflite, args, code, message):
    result = run(*[arg.format(tflite=tflite) for arg in args])
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output
