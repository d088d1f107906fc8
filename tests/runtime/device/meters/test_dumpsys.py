import math

from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters.dumpsys import (
    DumpsysBattery,
    ThermalSensor,
    parse_battery,
    parse_thermalservice,
)

BATTERY = """Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 500000
  Charge counter: 2893000
  status: 2
  health: 2
  present: true
  level: 87
  scale: 100
  voltage: 4321
  temperature: 291
  technology: Li-ion
"""
THERMAL = """IsStatusOverride: false
ThermalEventListeners:
Thermal Status: 1
Cached temperatures:
	Temperature{mValue=25.0, mType=0, mName=OLD, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
	Temperature{mValue=39.6, mType=0, mName=AP, mStatus=1}
	Temperature{mValue=-2.5, mType=3, mName=SKIN, mStatus=0}
Current cooling devices from HAL:
	CoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-0}
"""


def test_battery():
    assert parse_battery(BATTERY) == DumpsysBattery("Charging", 87, 4321, 29.1, 2893000, ("USB",))
    assert parse_battery("") == DumpsysBattery(None, None, None, None, None, ())


def test_thermalservice_takes_what_is_fresh():
    read = parse_thermalservice(THERMAL)
    assert read.status == "light"
    assert read.sensors == (ThermalSensor("AP", 0, 39.6, "light"), ThermalSensor("SKIN", 3, -2.5, "none"))
    assert parse_thermalservice("").status is None


_LINES = st.lists(st.sampled_from((BATTERY + THERMAL).splitlines()) | st.text(max_size=60)).map("\n".join)


@given(text=_LINES, start=st.integers(0, 300), end=st.integers(0, 300))
def test_any_text_gives_facts_or_none(text, start, end):
    for cut in (text, text[start:], text[:end]):
        parse_battery(cut)
        assert all(math.isfinite(sensor.temp_c) for sensor in parse_thermalservice(cut).sensors)
