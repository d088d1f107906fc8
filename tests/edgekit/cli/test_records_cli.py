import csv
import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.measure.records import RecordLog
from tests.runtime.measure.toy_records import blocks_of


@pytest.fixture
def log(tmp_path):
    log = RecordLog(tmp_path / "r.jsonl")
    for record in [*blocks_of(10.0), *blocks_of(11.0, n=1, verdict="unstable", reasons=("hot",))]:
        log.append(record)
    return str(log.path)


def run(*args):
    return CliRunner().invoke(cli, ["records", *args])


def test_a_table_with_a_title_and_why_it_is_unstable(log):
    result = run(log)
    assert result.stdout.startswith("toy (00000000) on local:\n")
    assert "unstable" in result.stdout
    assert "hot" in result.stderr
    assert run(log, "--stable", "--wide").stdout.splitlines()[-1].endswith("  stable")


def test_convert_to_stdout_and_to_a_file(log, tmp_path):
    rows = list(csv.DictReader(run(log, "--format", "csv").stdout.splitlines()))
    assert len(rows) == 6
    out = tmp_path / "b.json"
    result = run(log, "--format", "pytest-benchmark", "--stable", "-o", str(out))
    assert "written: " in result.stderr
    assert json.loads(out.read_text())["benchmarks"][0]["extra_info"]["blocks"] == 5


def test_no_records(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    result = run(str(tmp_path / "empty.jsonl"), "--format", "csv")
    assert result.exit_code == 1
    assert "no records to convert" in result.stderr
