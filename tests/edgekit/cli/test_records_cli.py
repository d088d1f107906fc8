import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.measure.records import RecordLog
from tests.runtime.measure.toy_records import RECORD, blocks_of


@pytest.fixture
def log(tmp_path):
    log = RecordLog(tmp_path / "r.jsonl")
    hot = replace(RECORD, samples_ms=(11.0,) * 9, verdict="unstable", reasons=("hot",), block=9)
    for record in [*blocks_of(10.0), hot]:
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


def test_machines_that_share_a_name_have_tables_of_their_own(log):
    for name in ("Pi 4", "laptop"):
        for record in blocks_of(30.0, device={"name": name}) * 2:
            RecordLog(Path(log)).append(record)
    result = run(log)
    assert [line for line in result.stdout.splitlines() if line.startswith("toy ")] == [
        "toy (00000000) on local, an unknown machine:",
        "toy (00000000) on local, Pi 4:",
        "toy (00000000) on local, laptop:",
    ]
    assert result.stderr.count("5 blocks are left out: they were measured again since") == 2
