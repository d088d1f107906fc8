"""A program that reports nothing: it runs at one setting as long as nobody who does is there."""

from __future__ import annotations

from runtime.device.actuators import Places, family_of
from runtime.device.setting import Setting
from runtime.govern.governor.machine import GovernedMachine


class FixedProcess:
    """A process, all that it starts included, and its setting."""

    def __init__(self, machine: GovernedMachine, pid: int, setting: Setting):
        self._machine, self._pid, self._setting = machine, pid, setting
        self._places: Places | None = None  # where it could run; None: it is not moved

    @property
    def wanted(self) -> dict[str, int]:
        """Clocks of clusters, in kHz, that it asks for."""
        freq_khz = self._setting.freq_khz
        return {} if freq_khz is None else {self._setting.cluster: freq_khz}

    def move(self) -> None:
        """Bring it to its setting's cores."""
        tids = family_of(self._pid)
        self._places = self._machine.take(tids)
        self._machine.move(tids, self._setting.cluster, self._setting.threads)

    def leave(self) -> None:
        """Let it run where it could before."""
        if self._places is not None:
            self._machine.restore_places(self._places)
            self._places = None
