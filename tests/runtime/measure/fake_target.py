"""A target that measures nothing: its latencies are what the test says."""

import contextlib

from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.engines import Samples


class Fake:
    """A measured target of three clocks whose latency is what the test says."""

    name, provenance, energy_note, profile = "fake", "measured", "no meter", None
    is_modelled, meter = False, None
    device, versions = {"name": "fake", "kernel": "Linux 6"}, {"engine": "fake 1"}

    def __init__(self, latencies_ms=lambda visit: 10.0):
        self.latencies_ms, self.visits = latencies_ms, []

    def settings(self, threads=(1,), clusters=()):
        return tuple(Setting("cpu", khz, count) for count in threads for khz in (1000, 2000, 3000))

    def power(self, setting):
        return PowerFigure(500.0, "measured: test") if setting.freq_khz == 1000 else None

    @contextlib.contextmanager
    def session(self, bundle, variant, setting):
        session = FakeSession(setting, lambda: self._visit(setting))
        session.device, session.versions, session.meter = self.device, self.versions, self.meter
        yield session

    def _visit(self, setting):
        self.visits.append(setting)
        return self.latencies_ms(len(self.visits))


class FakeSession:
    control_level, worker_pid = "sysfs", None

    def __init__(self, setting, visit):
        self.setting = self.setting_read = setting
        self._visit = visit

    def sample(self, *, warmup, runs, fps=None):
        latency_ms = self._visit()
        return Samples(latency_ms * 3, (latency_ms,) * runs, 1)

    def conditions(self, *, probe=False):
        return self.machine(probe)

    def machine(self, probe):
        return Conditions(0.0, probe_ms=1.0 if probe else None)
