"""Meters: read what the machine does, change nothing.

Energy comes through one face, ``EnergyMeter``, found by ``find_meter``. The readers are our own.
Zeus (zeus 0.16, the best kept of those we know) was read for it and not taken: it pulls in pandas,
scikit-learn, pydantic and two GPU vendors' libraries; its paths are fixed below /sys, so it cannot
be tested on files nor see an emulated machine; it starts a process per RAPL file to count wraps and
polls a Jetson in a process that adds rectangles, with no sign of a gap; rails it has no word for are
dropped. Its list of Jetson layouts is what ``ina3221`` goes by.
"""

from runtime.device.meters.conditions import read_conditions
from runtime.device.meters.device import read_device
from runtime.device.meters.finding import METERS, MeterState, find_meter, list_meters
from runtime.device.meters.in_use import MeterInUse
from runtime.device.meters.meter import About, EnergyMeter, Found
from runtime.device.meters.reading import EnergyReading, Reading
from runtime.device.meters.temperature import read_temp_c
from runtime.device.meters.window import EnergyWindow, measure_idle_mw

__all__ = [
    "METERS",
    "About",
    "EnergyMeter",
    "EnergyReading",
    "EnergyWindow",
    "Found",
    "MeterInUse",
    "MeterState",
    "Reading",
    "find_meter",
    "list_meters",
    "measure_idle_mw",
    "read_conditions",
    "read_device",
    "read_temp_c",
]
