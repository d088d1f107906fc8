"""Settings refuse what no machine can do and print as people speak of them."""

import pytest

from runtime.bundle.workload import Op, Workload
from runtime.device.setting import Setting


def test_setting_prints_cluster_clock_and_threads():
    assert str(Setting("big", 2_803_000, 2)) == "big @ 2803 MHz x2"
    assert str(Setting("little", None)) == "little @ kernel clock x1"


@pytest.mark.parametrize("fields", [{"threads": 0}, {"freq_khz": 0}, {"freq_khz": -1}])
def test_impossible_setting_is_refused(fields):
    with pytest.raises(ValueError, match="must be"):
        Setting(**({"cluster": "big", "freq_khz": 1} | fields))


def test_workload_sums_its_ops():
    workload = Workload((Op("a", "conv2d", 100, 10, 5), Op("b", "elementwise", 1, 2, 3)))
    assert workload.macs == 101
    assert workload.bytes_moved == 20


@pytest.mark.parametrize(
    ("fields", "message"), [({"kind": "magic"}, "unknown; allowed: conv2d"), ({"macs": -1}, "negative cost")]
)
def test_impossible_op_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Op(**({"name": "a", "kind": "conv2d", "macs": 1, "bytes_read": 1, "bytes_written": 1} | fields))
