"""Records, policies and measurements as Python gets them."""

import os
import sys
import time
from types import ModuleType

import pytest

import edgekit
from runtime.errors import MissingExtra, NotFittedError


def spin(seconds):
    end_s = time.process_time() + seconds
    while time.process_time() < end_s:
        pass


def test_records_are_a_list_that_shows_itself_and_knows_its_log(bundle):
    records = edgekit.bench(bundle, target="virtual:gs101", clusters=["big"], threads=[1, 2])
    assert len(records) == len(list(records.path.read_text().splitlines()))
    table = repr(records)
    assert table.splitlines()[0].split()[:2] == ["variant", "setting"]
    assert "big @ 2850 MHz x1" in table.splitlines()[2]
    assert "modelled" in table
    assert records.table(most=2).splitlines()[4] == f"... and {len(records) - 2} slower ones"
    assert repr(edgekit.Records()) == "no records"


def test_records_become_a_data_frame_where_pandas_is(bundle, monkeypatch):
    records = edgekit.bench(bundle, target="virtual:gs101", clusters=["big"], every=50)
    fake = ModuleType("pandas")
    fake.DataFrame = list
    monkeypatch.setitem(sys.modules, "pandas", fake)
    frame = records.to_pandas()
    assert [row["freq_khz"] for row in frame] == [record.setting.freq_khz for record in records]
    assert frame[0]["samples_ms"] == records[0].samples_ms
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="run: pip install pandas"):
        records.to_pandas()


def test_a_bench_by_path_keeps_its_records_where_it_is_told(bundle, tmp_path):
    seen = []
    records = edgekit.bench(
        "seg.edgekit",
        target="virtual:gs101",
        clusters=["big"],
        every=50,
        log=tmp_path / "mine.jsonl",
        progress=lambda done, total, record: seen.append((done, total)),
    )
    assert records.path == tmp_path / "mine.jsonl"
    assert seen[-1] == (len(records), len(records))


def test_tune_says_what_to_do_first_and_which_limits_there_are(bundle):
    with pytest.raises(NotFittedError, match=r"edgekit bench .* --target virtual:gs101"):
        edgekit.tune(bundle, target="virtual:gs101", fps=30)
    with pytest.raises(TypeError, match=r"tune\(\) got speed; allowed: .*fps"):
        edgekit.tune(bundle, target="virtual:gs101", speed=30)


def test_measure_times_frames_and_says_why_there_is_no_energy(tmp_path):
    with edgekit.measure(root=tmp_path) as m:
        assert "not over yet" in repr(m)
        for _ in range(6):
            with m.frame():
                spin(0.004)
    assert len(m.samples_ms) == 6
    assert m.latency_ms >= 4
    assert m.duration_s * 1e3 >= sum(m.samples_ms)
    assert (m.energy_mj, m.energy) == (None, None)
    assert "no power meter" in m.energy_source
    assert m.before.probe_ms > 0
    assert "median of 6 frames; energy not known" in repr(m)


def test_one_piece_of_work_is_never_called_stable():
    with edgekit.measure(meter="none") as m:
        spin(0.03)
    assert m.latency_ms == m.duration_s * 1e3 >= 30
    assert m.verdict == "unstable"
    assert any("1 samples are too few" in reason for reason in m.reasons)


def test_energy_comes_from_the_meter(tmp_path):
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    for name, text in (("name", "package-0"), ("energy_uj", "0"), ("max_energy_range_uj", "1000000000")):
        (zone / name).write_text(f"{text}\n")
    with edgekit.measure(meter="rapl", root=tmp_path) as m:
        for number in range(14):
            with m.frame():
                time.sleep(0.06)
                (zone / "energy_uj").write_text(f"{(number + 1) * 60_000}\n")
    assert m.power_mw == pytest.approx(1000, rel=0.2)
    assert m.energy_mj == pytest.approx(60, rel=0.2)
    assert "RAPL" in m.energy_source


def test_work_of_child_processes_is_the_blocks_own():
    with edgekit.measure(meter="none") as m:
        for _ in range(5):
            with m.frame():
                child = os.posix_spawn(
                    sys.executable, [sys.executable, "-c", "sum(range(3_000_000))"], os.environ
                )
                os.waitpid(child, 0)
    assert m.after.own_busy_s - m.before.own_busy_s > 0.1


def test_an_error_in_the_block_is_the_callers():
    with pytest.raises(RuntimeError, match="mine"), edgekit.measure(meter="none"):
        raise RuntimeError("mine")
