"""Whether a quantised file is a rounded form of the eager model, and not another function."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from edgekit.export.channels import describe_channels, unlike_groups
from edgekit.export.parity import difference
from runtime.bundle import Parity
from runtime.errors import ParityError

# Int8 networks have 12 to 40 dB. Below this a quarter of the power is noise: a layer is broken,
# saturated or wrongly scaled, not rounded.
MIN_QUANTIZED_SQNR_DB = 6.0
# A file with this much is right, however exact the simulation.
ENOUGH_SQNR_DB = 40.0
# Files come within 2 dB of the simulation; a constant that is lost costs 25 and more.
_BELOW_SIMULATION_DB = 12.0
# Engines round sums in their own order, and in a deep network one step more or less in an early layer
# grows to the noise of rounding itself: file and program are then two samples of it, 3 dB apart from
# each other (MobileNetV2 21 dB with 20 dB against eager; four layers 50 to 58 dB with 40).
_BELOW_FAKE_DB = 6.0
_BELOW_FAKE_DB_OF_ONE = 20.0  # of one value more, whose noise may be small by chance; of n this / sqrt(n)
# Of labels: rounding swaps scores that are nearly equal.
_LEAST_EQUAL, _LEAST_EQUAL_TO_FAKE = 0.5, 0.9
_WRONG = (
    "a layer is wrong in the file; find it with edgekit parity --layers, and keep its module float with "
    "--keep-float"
)
_CALIBRATE = "calibrate with inputs like these, keep modules float with --keep-float, or train with --qat"
_SEPARATE = (
    "channels of unlike scales share one int8 grid: return them as outputs of their own, or keep the modules "
    "that join them float with --keep-float"
)


def check_quantized(name: str, parity: Parity, simulated_db: Sequence[float | None] = ()) -> None:
    """Refuse a quantised variant that is far more than rounded.

    Rounding moves single values by far more than fp32's tolerance, so the noise of each output as a
    whole, and of its channels where their scales are unlike, is held against its signal.

    Args:
        name: of the variant, for errors.
        parity: of its file with the eager model.
        simulated_db: signal to noise of each output as rounding alone makes it, see ``simulate``;
            ``None`` where it is unknown.

    Raises:
        ParityError: an output has less than ``MIN_QUANTIZED_SQNR_DB``, or far less than simulated.
    """
    for output, simulated in itertools.zip_longest(parity.outputs, simulated_db):
        if output.equal_share is not None:
            continue
        for part in (output, *output.channels):
            if part.sqnr_db is None:
                continue
            which = output.name if part is output else f"{part.channels} of {output.name}"
            told = f"{name} gives {which} with {part.sqnr_db:.1f} dB of signal to noise on {parity.inputs}"
            if part.sqnr_db < MIN_QUANTIZED_SQNR_DB:
                raise ParityError(
                    f"{told}, at least {MIN_QUANTIZED_SQNR_DB:.0f} are needed; "
                    f"{_CALIBRATE if part is output else _SEPARATE}"
                )
            least = min(ENOUGH_SQNR_DB, (simulated or 0.0) - _BELOW_SIMULATION_DB)
            if part is output and part.sqnr_db < least:
                raise ParityError(
                    f"{told}; rounding alone leaves {simulated:.1f} dB, at least {least:.1f} are "
                    f"needed: {_WRONG}"
                )


def check_fake_quantised(
    name: str,
    names: Sequence[str],
    actual: Sequence[Sequence[np.ndarray]],
    fake: Sequence[Sequence[np.ndarray]],
    eager: Sequence[Sequence[np.ndarray]],
) -> None:
    """Refuse a static int8 file that departs from the program which rounds as it does.

    Args:
        name: of the variant, for errors.
        names: of the outputs.
        actual, fake, eager: outputs of the file, the fake-quantised program and the eager model for
            each frame.

    Raises:
        ParityError: file and program are further apart than roundings of sums put them.
    """
    for i, output in enumerate(names):
        found, rounded, exact = (np.stack([frame[i] for frame in one]) for one in (actual, fake, eager))
        if exact.dtype.kind != "f":
            _check_labels(f"{name} gives", output, found, rounded, exact)
            continue
        axis, groups = unlike_groups(exact)
        _check_noise(f"{name} gives {output}", found, rounded, exact)
        for group in groups:
            told = f"{name} gives {describe_channels(group, axis - 1)} of {output}"
            _check_noise(told, *(one.take(group, axis) for one in (found, rounded, exact)))


def _check_noise(told: str, found: np.ndarray, rounded: np.ndarray, exact: np.ndarray) -> None:
    sqnr_db, rounding_db = difference(found, rounded)[1], difference(rounded, exact)[1]
    if sqnr_db is None:
        return
    margin_db = _BELOW_FAKE_DB + _BELOW_FAKE_DB_OF_ONE / math.sqrt(exact.size)
    least = min(ENOUGH_SQNR_DB, math.inf if rounding_db is None else rounding_db) - margin_db
    if sqnr_db < least:
        raise ParityError(
            f"{told} with {sqnr_db:.1f} dB of signal to noise against the fake-quantised program, which "
            f"rounds as the file does; at least {least:.1f} are needed: {_WRONG}"
        )


def _check_labels(told: str, output: str, found: np.ndarray, rounded: np.ndarray, exact: np.ndarray) -> None:
    by_rounding = float((rounded != exact).mean())
    limits = (
        ("eager model", exact, 1 - _LEAST_EQUAL),
        ("fake-quantised program", rounded, max(1 - _LEAST_EQUAL_TO_FAKE, by_rounding)),
    )
    for other, wanted, allowed in limits:
        share = float((found != wanted).mean())
        if share > allowed and share * found.size > 1:  # one label alone may be a tie
            raise ParityError(
                f"{told} {1 - share:.1%} of the values of {output} as the {other} does, at least "
                f"{1 - allowed:.1%} are needed; {_CALIBRATE}"
            )
