"""Records for other tools: figures that can be checked by hand, and the tools' own readers."""

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from statistics import mean, median, stdev

import pytest

from runtime.device.conditions import Conditions
from runtime.engines.programs.benchmark_model import parse_stats
from runtime.errors import DataError
from runtime.measure.formats import FORMATS, convert
from runtime.measure.records import RecordLog
from tests.runtime.measure.toy_records import RECORD

BEFORE = Conditions(
    100.0, temp_c=40.0, freq_khz=2_000_000, cpus=(4,), n_cpus=8, own_busy_s=1.0, own_wait_s=0.0,
    cpus_busy_s=5.0, machine_busy_s=9.0, probe_ms=0.5,
)  # fmt: skip
AFTER = replace(
    BEFORE, time_s=100.1, temp_c=42.0, own_busy_s=1.1, cpus_busy_s=5.1, machine_busy_s=9.1, probe_ms=0.51
)
RECORDS = [
    replace(RECORD, before=BEFORE, after=AFTER, device={"name": "Raven", "soc": "gs101"}, run="r"),
    replace(RECORD, block=1, run="r", verdict="unstable", reasons=("hot", "slow")),
    replace(RECORD, fps_target=100.0, samples_ms=(8.0, 12.0), run="s"),
]


def test_every_format_takes_every_record():
    for name in FORMATS:
        assert convert(RECORDS, name)
    with pytest.raises(ValueError, match="format 'xml' is unknown; choose one of: jsonl, csv"):
        convert(RECORDS, "xml")
    with pytest.raises(DataError, match="no records"):
        convert([], "csv")


def test_json_lines_are_a_log(tmp_path):
    (tmp_path / "r.jsonl").write_bytes(convert(RECORDS, "jsonl"))
    assert list(RecordLog(tmp_path / "r.jsonl")) == RECORDS


def test_csv_has_a_line_per_block():
    rows = list(csv.DictReader(io.StringIO(convert(RECORDS, "csv").decode())))
    assert [row["block"] for row in rows] == ["0", "1", "0"]
    first, second, paced = rows
    assert (first["cluster"], first["freq_khz"], first["latency_ms"]) == ("big", "2000000", "3.0")
    assert (first["temp_start_c"], first["probe_after_ms"], first["cpus"]) == ("40.0", "0.51", "4")
    assert first["samples_ms"] == "4 1 3 2 10"
    assert (first["device"], first["wait_share"]) == ("Raven", "0.0")
    assert (second["temp_start_c"], second["reasons"]) == ("", "hot; slow")  # unknown is empty, not 0
    assert (paced["mode"], paced["fps_target"]) == ("paced", "100.0")


def test_pytest_benchmark_is_in_seconds():
    document = json.loads(convert(RECORDS, "pytest-benchmark"))
    pooled, paced = document["benchmarks"]
    assert pooled["name"] == "litert-fp32[big-2000000-x1]"
    assert paced["name"] == "litert-fp32[big-2000000-x1-100fps]"
    data = [ms / 1000 for ms in RECORD.samples_ms] * 2
    stats = pooled["stats"]
    assert stats["data"] == pytest.approx(data)
    assert (stats["rounds"], stats["min"], stats["max"]) == (10, 0.001, 0.01)
    assert stats["mean"] == pytest.approx(mean(data))
    assert stats["median"] == pytest.approx(median(data))
    assert stats["stddev"] == pytest.approx(stdev(data))
    assert stats["ops"] == pytest.approx(1 / mean(data))
    assert stats["outliers"] == "2;2"  # the two of 10 ms, either way
    assert pooled["extra_info"]["verdict"] == "unstable"


def test_pytest_benchmark_compares_it(tmp_path):
    program = shutil.which("pytest-benchmark")
    if program is None:
        pytest.skip("pytest-benchmark is not installed")
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_bytes(convert(RECORDS, "pytest-benchmark"))
    done = subprocess.run(
        [program, "compare", "a.json", "b.json", "--columns=median,iqr,ops,rounds"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "big-2000000-x1" in done.stdout


def test_trace_puts_blocks_where_the_clock_had_them():
    events = json.loads(convert(RECORDS, "trace"))["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    blocks = [event for event in spans if event["tid"] == 1]
    assert [(event["pid"], event["ts"], event["dur"]) for event in blocks[:1]] == [(1, 0.0, 100_000.0)]
    assert blocks[1]["ts"] == 100_000.0  # it does not tell when it ran: after the one before
    frames = [event for event in spans if event["tid"] == 2]
    assert [event["dur"] for event in frames[:5]] == [4000.0, 1000.0, 3000.0, 2000.0, 10000.0]
    assert frames[4]["ts"] + frames[4]["dur"] == 100_000.0
    paced = [event for event in frames if event["pid"] == 2]
    assert [event["args"]["late"] for event in paced] == [False, True]
    assert paced[1]["ts"] - paced[0]["ts"] == 10_000.0
    counters = [(e["name"], e["ts"], e["args"][e["name"]]) for e in events if e["ph"] == "C"]
    assert ("temp_c", 0.0, 40.0) in counters
    assert ("probe_ms", 100_000.0, 0.51) in counters


def test_benchmark_model_text_is_read_by_its_parser():
    text = convert(RECORDS, "benchmark-model").decode()
    stats = parse_stats(text)
    assert [one.count for one in stats] == [5, 5, 2]
    assert (stats[0].first_us, stats[0].last_us, stats[0].min_us, stats[0].max_us) == (
        4000,
        10000,
        1000,
        10000,
    )
    assert stats[0].mean_us == 4000
    assert "First inference: 20000, Warmup (avg): nan, Inference (avg): 4000" in text
    assert "unstable (hot; slow)" in text


def test_formats_need_only_the_device_side():
    code = "import sys, runtime.measure.formats; assert not {'torch', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
