"""Options that say what a policy is to achieve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from runtime.choose.policy.goal import OBJECTIVES

_POSITIVE = click.FloatRange(min=0, min_open=True)
_NOT_NEGATIVE = click.FloatRange(min=0)
_OPTIONS = (
    click.option("--fps", type=float, help="Frames per second to meet. Default: 30."),
    click.option(
        "--margin",
        "margin_pct",
        type=float,
        help="Headroom on the FPS in %; on a virtual target instead of the model's own bounds.",
    ),
    click.option("--objective", type=click.Choice(tuple(OBJECTIVES)), help="Default: least energy, awake."),
    click.option("--latency-ms", type=_POSITIVE, help="Deadline of a frame. Default: the period."),
    click.option("--quantile", type=float, help="Share of frames to end in time, such as 0.95."),
    click.option("--energy-mj", type=_POSITIVE, help="Budget per frame: take the fastest within it."),
    click.option("--mean-power-mw", type=_POSITIVE, help="The same budget as a mean over time."),
    click.option("--max-power-mw", type=_POSITIVE, help="Thermal cap on the power while busy."),
    click.option("--base-mw", type=_NOT_NEGATIVE, help="Power of the idle device. Default: as metered."),
    click.option("--sleep-mw", type=_NOT_NEGATIVE, default=0.0, help="Power asleep. Default: 0."),
    click.option("--battery-mwh", type=_POSITIVE, help="Battery, for hours of use. Default: the target's."),
)  # fmt: skip


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add options for objective and limits; the command gets them as one ``request``."""

    @functools.wraps(command)
    def with_request(**options: Any) -> Any:
        from runtime.choose.tuning.request import PolicyRequest

        asked = {field: options.pop(field) for field in PolicyRequest.__dataclass_fields__}
        return command(request=PolicyRequest(**asked), **options)

    for option in reversed(_OPTIONS):
        with_request = option(with_request)
    return with_request
