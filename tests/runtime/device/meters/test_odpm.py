import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters import find_meter
from runtime.device.meters.odpm_text import parse_odpm
from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError
from tests.runtime.device.meters.machine import write

IIO = "sys/bus/iio/devices"
MAIN = """t=349894
CH0(T=349894)[S10M_VDD_TPU], 5578756
CH1(T=349894)[VSYS_PWR_MODEM], 29110940
CH3(T=349894)[S2M_VDD_CPUCL2], 30203502
CH4(T=349894)[S3M_VDD_CPUCL1], 23377533
CH5(T=349894)[S4M_VDD_CPUCL0], 46356942
"""
OLD = "t=349894\nCH3[S2M_VDD_CPUCL2], 30203502\n"


def test_both_formats():
    read = parse_odpm(MAIN)
    assert (read.time_ms, len(read.rails_uj)) == (349894, 5)
    assert read.rails_uj["S4M_VDD_CPUCL0"] == 46356942
    assert parse_odpm(OLD).rails_uj == {"S2M_VDD_CPUCL2": 30203502}


def test_rails_of_both_devices_by_the_phones_own_clock(tmp_path):
    write(
        tmp_path / IIO,
        {
            "iio:device0/energy_value": MAIN,
            "iio:device1/energy_value": "t=349894\nCH0(T=349894)[S1S_VDD_CAM], 7",
        },
    )
    meter = find_meter(tmp_path).meter
    assert meter.about.source == "ODPM (S2M_VDD_CPUCL2 + S3M_VDD_CPUCL1 + S4M_VDD_CPUCL0)"
    assert "S1S_VDD_CAM" in meter.about.notes[1]
    first = meter.read()
    later = MAIN.replace("349894", "350894").replace("30203502", "31203502")  # 1 J in 1 s
    write(
        tmp_path / IIO,
        {
            "iio:device0/energy_value": later,
            "iio:device1/energy_value": "t=350894\nCH0(T=350894)[S1S_VDD_CAM], 9",
        },
    )
    second = meter.read()
    assert (second.energy_mj, second.time_s - first.time_s) == (1000.0, 1.0)
    assert second.rails_mj["S2M_VDD_CPUCL2"] == 1000.0


def test_rails_by_name_and_a_clock_that_goes_back(tmp_path):
    write(tmp_path / IIO, {"iio:device0/energy_value": MAIN})
    meter = find_meter(tmp_path, "odpm=*TPU").meter
    assert meter.about.source == "ODPM (S10M_VDD_TPU)"
    meter.read()
    write(tmp_path / IIO, {"iio:device0/energy_value": MAIN.replace("349894", "100")})
    with pytest.raises(DeviceTransientError, match="its clock went back by 350 s"):
        meter.read()


def test_a_phone_whose_cpu_rails_are_not_known_must_be_told(tmp_path):
    write(tmp_path / IIO, {"iio:device0/energy_value": "t=1\nCH0(T=1)[BUCK7], 5"})
    with pytest.raises(DeviceStableError, match="no rail of a CPU among BUCK7; name some: odpm=RAIL"):
        find_meter(tmp_path, "odpm")


@given(text=st.text() | st.binary().map(lambda b: b.decode(errors="replace")))
def test_any_text_is_read_or_refused(text):
    try:
        read = parse_odpm(text)
        assert read.rails_uj
    except ValueError:
        pass  # with a reason


@given(cut=st.integers(0, len(MAIN)), noise=st.binary(max_size=5), at=st.integers(0, len(MAIN)))
def test_a_file_cut_off_or_damaged_never_gives_less_energy(tmp_path_factory, cut, noise, at):
    root = tmp_path_factory.mktemp("odd")
    data = bytearray(MAIN[:cut].encode())
    data[at : at + len(noise)] = noise
    write(root / IIO, {"iio:device0/energy_value": bytes(data)})
    with contextlib.suppress(DeviceError):
        assert find_meter(root, "odpm").meter.read().energy_mj == 0
