"""``edgekit web compare``: what it prints, and when it exits 3."""

import json

from click.testing import CliRunner

from edgekit.cli import cli
from runtime.measure.records import RecordLog
from tests.runtime.web.learning.gestures import record


def written(path, fps, power_mw):
    log = RecordLog(path)
    for each in fps:
        log.append(record("index.html", fps=each, power_mw=power_mw))
    return str(path)


def compared(tmp_path, after_fps, *options, power_mw=500.0):
    before = written(tmp_path / "before.jsonl", (58.0, 58.2, 58.0, 58.4), 500.0)
    after = written(tmp_path / "after.jsonl", after_fps, power_mw)
    return CliRunner().invoke(cli, ["web", "compare", before, after, *options])


def test_an_equal_page_passes_all_gates(tmp_path):
    gates = ("--max-slowdown", "5%", "--min-fps", "55", "--max-energy", "+5%")
    done = compared(tmp_path, (58.2, 58.0, 58.2, 58.4), *gates)
    assert done.exit_code == 0, done.output
    assert "no difference" in done.output


def test_each_gate_exits_3_and_says_which(tmp_path):
    cases = {
        ("--max-slowdown", "5%"): "slower by more than",
        ("--min-fps", "55"): "fewer than 55 FPS",
        ("--max-energy", "+5%"): "more energy than",
    }
    for number, (gate, words) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = compared(folder, (48.0, 48.2, 48.0, 48.2), *gate, power_mw=560.0)
        assert done.exit_code == 3
        assert words in done.output


def test_json_holds_the_intervals(tmp_path):
    found = json.loads(compared(tmp_path, (48.0, 48.2, 48.0), "--json").stdout)
    assert found[0]["frame"]["verdict"] == "slower"
    assert found[0]["frame"]["interval"]["low"] > 1.15


def test_a_file_that_holds_no_records_is_one_line(tmp_path):
    (tmp_path / "none.jsonl").write_text("{}\n")
    done = CliRunner().invoke(cli, ["web", "compare", *[str(tmp_path / "none.jsonl")] * 2])
    assert done.exit_code == 1
    assert "is not a record" in done.output
