"""A target that measures nothing: its latencies are what the test says."""

import contextlib

from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.engines import Samples


class Fake:
    """A measured target of three clocks whose latency is what the test says."""

    name, provenance, energy_note, profile = "fake", "measured", "no meter", None
    is_modelled = False

    def __init__(self, latencies_ms=lambda visit: 10.0):
        self.latencies_ms, self.visits = latencies_ms, []

    def settings(self, threads=(1,)):
        return tuple(Setting("cpu", khz, count) for count in threads for khz in (1000, 2000, 3000))

    def power(self, setting):
        return PowerFigure(500.0, "measured: test") if setting.freq_khz == 1000 else None

    @contextlib.contextmanager
    def session(self, bundle, variant, setting):
        self.visits.append(setting)
        yield FakeSession(setting, self.latencies_ms(len(self.visits)))


class FakeSession:
    control_level, worker_pid, versions, device = "sysfs", None, {"engine": "fake 1"}, {"name": "fake"}

    def __init__(self, setting, latency_ms):
        self.setting = self.setting_read = setting
        self.latency_ms = latency_ms

    def sample(self, *, warmup, runs, fps=None):
        return Samples(self.latency_ms * 3, (self.latency_ms,) * runs, 1)

    def conditions(self, *, probe=False):
        return self.machine(probe)

    def machine(self, probe):
        return Conditions(0.0, probe_ms=1.0 if probe else None)
