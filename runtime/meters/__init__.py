"""Meters: read what the machine does, change nothing."""

from runtime.meters.background import BackgroundMeter
from runtime.meters.temperature import read_temp_c

__all__ = ["BackgroundMeter", "read_temp_c"]
