"""Figures of files that no machine gives."""

from dataclasses import dataclass

import pytest

from runtime.bundle.figures import check_figures
from runtime.choose.policy.outcome import Outcome


@dataclass
class Line:
    latency_ms: float


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e21, 10**400])
def test_what_no_machine_gives_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"latency_ms is .*, not between"):
        check_figures(Line(value))


def test_a_governor_that_took_no_time_is_refused():
    with pytest.raises(ValueError, match="latency_ms of eas is 0"):
        Outcome("eas", "big", 1, 500_000, 500_000, 0.0, 30.0, 240, 0, None)
