"""A bench of more rows than a screen holds shows the best; --all and --json have the rest."""

import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.cli._rows import best_rows, note_remarks
from runtime.device.setting import Setting
from runtime.measure.bench import summarise
from runtime.measure.records import RecordLog
from tests.runtime.measure.toy_records import blocks_of
from tests.runtime.phone import make_bundle

WIDTH = 80


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    bundle = make_bundle(tmp_path).path

    def run(*args):
        words = ["bench", str(bundle), "--target", "virtual:gs101", "--threads", "1", "--threads", "2", *args]
        shown = CliRunner().invoke(cli, words)
        assert shown.exit_code == 0, shown.output
        return shown

    return run


def rows_of(shown):
    return [line for line in shown.stdout.splitlines() if line.startswith("litert-fp32")]


def test_many_rows_show_the_best_of_each_cluster_and_how_to_see_the_rest(bench):
    shown = bench()
    assert max(map(len, shown.stdout.splitlines())) <= WIDTH
    rows = rows_of(shown)
    assert len(rows) == 6
    assert {line.split()[-1] for line in rows} == {"speed", "energy"}
    assert "6 of 86 rows: the best of each variant and cluster; --all shows all" in shown.stdout
    # A modelled figure is never printed without saying so, also when its column is folded.
    assert "latency modelled" in shown.stdout
    assert len(rows_of(bench("--all"))) == 86
    assert len(json.loads(bench("--json").stdout)) == 86


def test_wide_hides_no_column(bench):
    shown = bench("--wide")
    assert "hidden" not in shown.stderr
    head = shown.stdout.splitlines()[0]
    assert all(name in head for name in ("IQR", "cold", "mW", "energy", "verdict", "best in"))


def test_the_best_are_stable_ones_if_there_are_any_and_known_to_take_the_least_energy():
    slow = blocks_of(10.0, setting=Setting("big", 500_000))
    fast = blocks_of(5.0, setting=Setting("big", 900_000), verdict="unstable", reasons=("hot",))
    rows = summarise([*slow, *fast])
    (best,) = best_rows(rows).items()
    assert (rows[best[0]].setting.freq_khz, best[1]) == (500_000, "speed")  # no energy is known here


def test_many_unstable_rows_are_not_explained_one_by_one(capsys):
    rows = summarise(
        [
            record
            for mhz in range(100, 900, 100)
            for record in blocks_of(
                5.0,
                setting=Setting("big", mhz * 1000),
                verdict="unstable",
                reasons=("hot",),
                advice=(f"use --runs {mhz} or more",),
            )
        ]
    )
    note_remarks(rows)
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("unstable: litert")]) <= 3
    assert "unstable: 5 more rows; --all says why each is" in said
    assert [line for line in said if "--runs" in line] == ["what to do: use --runs 800 or more"]
    note_remarks(rows, show_all=True)
    assert len([line for line in capsys.readouterr().err.splitlines() if line.startswith("unstable")]) == 8


def test_energy_of_an_emulated_phone_is_not_called_measured(tmp_path):
    log = RecordLog(tmp_path / "r.jsonl")
    source = "measured: freqbench"  # as records of 0.1 say
    for record in blocks_of(10.0, provenance="emulated", power_mw=50.0, energy_mj=0.5, energy_source=source):
        log.append(record)
    shown = CliRunner().invoke(cli, ["records", str(log.path), "--wide"])
    assert "emulated latency x measured" in shown.stdout
