"""The table of published latencies, its networks and its judgement."""

import json
import math

import pytest
from click.testing import CliRunner

from tests.benchmarks.published.__main__ import main
from tests.benchmarks.published.fit import inputs_of
from tests.benchmarks.published.networks.catalogue import NETWORKS
from tests.benchmarks.published.rows import TABLE, read_rows

PRIME_AND_GOLD = [("kryo-585-gold", 3, 2420), ("kryo-585-gold", 1, 2840)]
HEAD = "soc,cluster,threads,clock_mhz,engine,network,input,precision,latency_ms\n"


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"mobilenet_v3_small:mini"}))
def test_layers_have_the_multiply_accumulates_that_the_authors_state(name):
    assert abs(NETWORKS[name].macs_apart) < 0.1


def run(tmp_path, lines, *options):
    path, result = tmp_path / "rows.csv", tmp_path / "result.json"
    path.write_text(HEAD + lines)
    done = CliRunner().invoke(main, ["--csv", str(path), "--json", str(result), *options])
    return done, json.loads(result.read_text())["summary"] if result.is_file() else None


def test_rows_that_cannot_be_modelled_are_named_and_counted(tmp_path):
    good = "kirin980,big,1,2600,ncnn,mobilenet_v1,224,fp32,60\n"
    bad = """kirin980,big,1,2600,ncnn,hologram_net,224,fp32,60
kirin980,big,1,2600,SlowNN,mobilenet_v1,224,fp32,60
m1,big,1,3200,ncnn,mobilenet_v1,224,fp32,60
kirin980,unknown,1,,ncnn,mobilenet_v1,224,fp32,60
kirin980,big,many,2600,ncnn,mobilenet_v1,224,fp32,60
kirin980,big,1,2600,ncnn,mobilenet_v1,224,fp32,-1
kirin980,big,1,inf,ncnn,mobilenet_v1,224,fp32,60
"""
    done, summary = run(tmp_path, good + bad)
    assert done.exit_code == 0, done.output
    assert summary["rows"] == 1
    assert sum(summary["left_out"].values()) == 7
    for word in ("hologram_net", "SlowNN", "'m1'", "not said which cores ran", "out of range"):
        assert word in done.output


def test_a_row_of_an_unseen_soc_is_judged_by_hand(tmp_path):
    done, summary = run(tmp_path, "kirin980,big,1,2600,XNNPACK,mobilenet_v1,224,fp32,1000000\n")
    assert done.exit_code == 0, done.output
    assert summary["median_ratio"] < 0.01
    assert summary["within_25pct_pct"] == 0
    assert summary["interval_coverage_pct"] == 0
    assert summary["soc"]["kirin980"]["rows"] == 1


def test_a_table_without_its_columns_is_one_clear_line(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    done = CliRunner().invoke(main, ["--csv", str(path)])
    assert done.exit_code == 1
    assert "lacks the columns soc, cluster" in done.output


def row_of(tmp_path, line):
    path = tmp_path / "rows.csv"
    path.write_text(HEAD + line)
    (row,), _ = read_rows(path)
    return row


@pytest.mark.parametrize(
    ("cluster", "threads", "clock", "cores"),
    [
        ("big", 4, "2840", PRIME_AND_GOLD),
        ("big", 2, "", [("kryo-585-gold", 1, 2420), ("kryo-585-gold", 1, 2840)]),
        ("big", 4, "1500", [("kryo-585-gold", 3, 1500), ("kryo-585-gold", 1, 1500)]),
        ("big+little", 8, "", [("kryo-585-silver", 4, 1800), *PRIME_AND_GOLD]),
        ("unknown", 8, "", [("kryo-585-silver", 4, 1800), *PRIME_AND_GOLD]),
        ("unknown", 4, "2840+3x2420", PRIME_AND_GOLD),
    ],
)
def test_threads_that_span_cores_are_modelled_on_all_of_them(tmp_path, cluster, threads, clock, cores):
    row = row_of(tmp_path, f"sm8250,{cluster},{threads},{clock},ncnn,mobilenet_v1,224,fp32,20\n")
    found = [(c.core, len(c.cpus), c.max_khz // 1000) for c in row.profile.clusters]
    assert (found, row.setting.threads) == (cores, threads)


def test_an_even_share_waits_for_the_slowest_core_and_xnnpack_does_not(tmp_path):
    rows = [
        row_of(tmp_path, f"rk3399,big+little,6,,{engine},mobilenet_v1,224,fp32,20\n")
        for engine in ("ncnn", "XNNPACK")
    ]
    (even_ms, even), (stolen_ms, stolen) = map(inputs_of, rows)
    assert even_ms == pytest.approx(stolen_ms)
    # Of two A72 at 1.8 GHz and four A53 at 1.4: 6 / (2 * 1.8 + 4 * 1.4) against 1 / 1.4.
    assert even["uneven"] == pytest.approx(math.log((1 / 1.4) / (6 / 9.2)))
    assert "uneven" not in stolen


def test_our_own_table_is_whole():
    rows, left_out = read_rows(TABLE)
    assert len(rows) > 1000
    assert not any("no table of layers" in reason for reason in left_out)
