"""Tables, and the numbers that a decision may be asked about: any, and those on a row's very edge."""

import math

from hypothesis import strategies as st

from runtime.choose.decision import DecisionTable
from runtime.choose.policy.estimate import Estimate
from runtime.device.setting import Setting

CLUSTERS = ("little", "mid", "big")
CLOCKS_KHZ = (None, 300_000, 600_000, 1_200_000, 2_400_000)
ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 5e-324, 1.7976931348623157e308)
LATENCY_MS = st.floats(1e-3, 1e4)
POWER_MW = st.none() | st.floats(0, 1e5)


@st.composite
def rows(draw):
    latency_ms = draw(LATENCY_MS)
    return Estimate(
        variant="litert-fp32",
        setting=Setting(
            draw(st.sampled_from(CLUSTERS)), draw(st.sampled_from(CLOCKS_KHZ)), draw(st.integers(1, 4))
        ),
        latency_ms=latency_ms,
        latency_low_ms=latency_ms,
        latency_high_ms=draw(LATENCY_MS),
        power_mw=draw(POWER_MW),
        energy_mj=None,
    )


tables = st.lists(rows(), min_size=1, max_size=12).map(lambda some: DecisionTable(tuple(some)))
anything = st.floats() | st.sampled_from(ODD)
caps = st.dictionaries(st.sampled_from(CLUSTERS), st.sampled_from([-1, 0, *CLOCKS_KHZ[1:]]))


def edges(table):
    """Return numbers on which decisions turn: bounds and powers of rows, and their neighbours."""
    exact = [r.latency_high_ms for r in table.rows] + [
        r.power_mw for r in table.rows if r.power_mw is not None
    ]
    return st.sampled_from(
        [*exact, *(math.nextafter(x, math.inf) for x in exact), *(math.nextafter(x, 0) for x in exact)]
    )
