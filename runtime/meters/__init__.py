"""Meters: read what the machine does, change nothing."""

from runtime.meters.conditions import read_conditions
from runtime.meters.device import read_device
from runtime.meters.temperature import read_temp_c

__all__ = ["read_conditions", "read_device", "read_temp_c"]
