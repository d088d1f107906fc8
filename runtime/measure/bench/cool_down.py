"""Wait for a hot machine before a block."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.device.conditions import Conditions
from runtime.errors import DeviceStableError

if TYPE_CHECKING:
    from runtime.targets.target import SampledSession

_LOOK_EVERY_S = 1.0  # a machine cools over many seconds


def wait_until_cool(
    session: SampledSession,
    max_temp_c: float | None,
    cool_down_s: float,
    on_step: Callable[[str], None] = lambda text: None,
) -> float:
    """Wait until the machine is at most ``max_temp_c`` hot, and return the seconds it took.

    Returns after ``cool_down_s`` whether it is cool or not: what follows reads the temperature again and
    judges it.

    Args:
        on_step: called once if it has to wait, with what it waits for.

    Raises:
        DeviceStableError: the machine shows no temperature, so that the limit could not be kept.
    """
    if max_temp_c is None:
        return 0.0
    now = session.conditions()
    if now.temp_c is None:
        raise DeviceStableError(
            f"the limit is {max_temp_c:g} C, and the machine shows no CPU temperature; leave --max-temp-c out"
        )
    waited_s = 0.0
    while _is_hot(now, max_temp_c) and waited_s < cool_down_s:
        if not waited_s:
            on_step(
                f"waiting, {cool_down_s:.0f} s at most, to cool from {now.temp_c:.0f} to {max_temp_c:.0f} C"
            )
        step_s = min(_LOOK_EVERY_S, cool_down_s - waited_s)
        time.sleep(step_s)
        waited_s += step_s
        now = session.conditions()
    return waited_s


def _is_hot(now: Conditions, max_temp_c: float) -> bool:
    return now.temp_c is not None and now.temp_c > max_temp_c
