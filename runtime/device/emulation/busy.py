"""How long the CPUs of a cluster were busy, from what its threads and the host's cores tell. Arithmetic only.

A thread tells how long it ran and how long it stood in the queue (schedstat). On a slow core of its own it
would have run for the sum: what is stolen shows as waiting. But threads that share a CPU wait for each other,
too, and the sum over them counts the same moment several times. So a CPU is never busier than all the time
there is, nor, over a while, than the share of the time left to its work in which its core was not idle.
"""

from __future__ import annotations

from dataclasses import dataclass

# A wait is counted when it ends, maybe for more time than has passed since the last look: what was not
# counted meanwhile can be made up for. The longest waits are of threads that take turns on the slowest core.
_MOST_UNPAID_S = 0.2
# Over which that share is taken: the kernel counts idle time in ticks of 10 ms. So long, for each CPU, work
# may go on before the share of its first window is known.
_WINDOW_S = 0.2
_IDLE_SHARE = 0.05  # of work beside idle time, below which a window was a pause


@dataclass
class BusyTime:
    """Of one cluster; feed it every span of time."""

    _owed_s: float = 0.0
    _unpaid_s: float = 0.0
    _allowed_s: float = 0.0
    _window_s: float = 0.0  # of CPUs' time
    _ran_s: float = 0.0
    _idle_s: float = 0.0
    _cpus: int = 0

    def take(self, span_s: float, cpus: int, ran_s: float, waited_s: float, idle_s: float) -> float:
        """Return for how long the CPUs were busy in ``span_s``, all together.

        Args:
            cpus: that the cluster's threads may run on.
            ran_s, waited_s: by how much the times of all its threads grew.
            idle_s: by how much the idle time of the host's cores that play these CPUs did.
        """
        if cpus != self._cpus:
            self._cpus, self._allowed_s = cpus, cpus * _WINDOW_S
            self._window_s = self._ran_s = self._idle_s = 0.0
        most_s = cpus * span_s
        self._look(most_s, ran_s, idle_s)
        owed_s = self._owed_s + ran_s + waited_s
        paid_s = min(owed_s, most_s, self._allowed_s)
        self._allowed_s -= paid_s
        self._unpaid_s = min(self._unpaid_s + most_s - paid_s, cpus * _MOST_UNPAID_S)
        self._owed_s = min(owed_s - paid_s, self._unpaid_s)
        return paid_s

    def _look(self, most_s: float, ran_s: float, idle_s: float) -> None:
        """Allow the share of a window's time in which the cores were not idle, once the window is over."""
        self._window_s += most_s
        self._ran_s += ran_s
        self._idle_s += idle_s
        if self._window_s >= self._cpus * _WINDOW_S:
            total_s = self._ran_s + self._idle_s
            allowed_s = self._window_s * self._ran_s / total_s if total_s > 0 else 0.0
            if self._ran_s < _IDLE_SHARE * self._idle_s:
                self._allowed_s = self._cpus * _WINDOW_S  # what begins now is counted at once again
            self._allowed_s = min(self._allowed_s + allowed_s, self._window_s + self._cpus * _WINDOW_S)
            self._window_s = self._ran_s = self._idle_s = 0.0
