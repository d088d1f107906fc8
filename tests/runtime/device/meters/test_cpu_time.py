import os

from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters.cpu_time import (
    CpuTime,
    parse_pressure,
    parse_stat,
    read_cpu_times,
    read_own_time_s,
    read_pressure_s,
    total,
)

# Linux 6.18, two CPUs, one of them with the time of guests (in user time already).
STAT = """cpu  1100 20 300 9000 40 5 6 70 80 0
cpu0 1000 20 200 4000 40 5 6 70 80 0
cpu2 100 0 100 5000 0 0 0 0 0 0
intr 123 4 5
btime 1700000000
"""
PRESSURE = """some avg10=80.95 avg60=69.02 avg300=29.00 total=5930895907
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""


def test_busy_and_stolen_time_of_each_cpu():
    times = parse_stat(STAT, 100)
    assert times == {0: CpuTime(12.31, 0.7), 2: CpuTime(2.0, 0.0)}
    assert total(times, (2,)) == CpuTime(2.0, 0.0)
    assert total(times).steal_s == 0.7
    assert total(times, (0, 1)) is None  # 1 is not online
    assert total({}) is None


def test_pressure_is_in_microseconds():
    assert parse_pressure(PRESSURE) == 5930.895907
    assert parse_pressure("full avg10=0.00 total=1\n") is None


@given(st.text())
def test_any_text_is_read_or_left(text):
    parse_stat(text, 100)
    parse_pressure(text)


def test_a_machine_without_these_files(tmp_path):
    assert read_cpu_times(tmp_path) == {}
    assert read_own_time_s(1, tmp_path) is None
    assert read_pressure_s(tmp_path) is None


def test_time_of_all_threads_of_a_process(tmp_path):
    for tid, text in ((7, "2000000000 500000000 12\n"), (8, "1000000000 0 3\n")):
        (tmp_path / f"proc/7/task/{tid}").mkdir(parents=True)
        (tmp_path / f"proc/7/task/{tid}/schedstat").write_text(text)
    assert read_own_time_s(7, tmp_path) == (3.0, 0.5)
    (tmp_path / "proc/7/task/9").mkdir()  # ended between the listing and the reading
    assert read_own_time_s(7, tmp_path) == (3.0, 0.5)


def test_this_process_for_real():
    before = read_own_time_s(os.getpid())
    if before is None:  # a kernel without CONFIG_SCHED_INFO
        return
    sum(range(3_000_000))
    assert read_own_time_s(os.getpid())[0] > before[0]
