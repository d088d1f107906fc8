"""What a governor decides from moment to moment: arithmetic on a few tuples, the same in Python and in C."""

from runtime.choose.decision.hysteresis import Hysteresis
from runtime.choose.decision.slowdown import Slowdown, SlowdownRule
from runtime.choose.decision.table import Decision, DecisionTable

__all__ = ["Decision", "DecisionTable", "Hysteresis", "Slowdown", "SlowdownRule"]
