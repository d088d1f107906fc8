"""Modelled latency of a workload on a SoC, and how far measurements say that it may be off.

Physics by term (``latency_terms.py``), corrected by factors fitted to published latencies of phones and
boards (``latency_factors.json``; ``python -m tests.benchmarks.published --fit`` makes it and prints how good
it is on SoCs it did not see). Everything that comes out is modelled, never measured.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

import msgspec

from runtime.bundle.workload import Workload
from runtime.device.setting import Setting
from runtime.device.soc.latency_inputs import latency_inputs
from runtime.device.soc.latency_terms import corrected_ms
from runtime.device.soc.profile import SocProfile
from runtime.device.soc.span import check_threads
from runtime.errors import DeviceStableError


class LatencyFit(msgspec.Struct, frozen=True):
    """What published latencies taught.

    Attributes:
        coefficients: by name of factor; ``soc_NAME`` for each SoC that has rows.
        low, high: measured over modelled latency, the bounds that hold ``confidence`` of rows of SoCs that
            were left out of the fit.
        seen_low, seen_high: the same of networks left out, on SoCs that were not.
        rows: fitted on.
    """

    coefficients: dict[str, float]
    low: float
    high: float
    seen_low: float
    seen_high: float
    confidence: float
    rows: int


@dataclass(frozen=True)
class ModelledLatency:
    """Latency of a frame in ms, and what it may truly be; ``bounds_basis`` says by what measurements."""

    latency_ms: float
    low_ms: float
    high_ms: float


@functools.cache
def latency_fit() -> LatencyFit:
    """Return the fit that comes with this package."""
    text = files("runtime.device.soc").joinpath("latency_factors.json").read_bytes()
    return msgspec.json.decode(text, type=LatencyFit)


def modelled_latency(
    workload: Workload, profile: SocProfile, setting: Setting, precision: str = "fp32"
) -> ModelledLatency:
    """Return the latency of one frame under XNNPACK, the engine of both export formats.

    Args:
        workload: its bytes must be those of ``precision``.
        profile: of the SoC.
        setting: cluster, clock (``None``: the cluster's highest) and threads.
        precision: one of the bundle's precisions; int8 ones use the int8 peak.

    Raises:
        ValueError: the profile has no such cluster or clock, or too few CPUs for the threads.
        DeviceStableError: nothing is known of the cluster's cores, or it shows no clock.
    """
    cluster = profile.cluster(setting.cluster)
    check_threads(cluster, setting.threads)
    freq_khz = setting.freq_khz or cluster.max_khz
    if freq_khz is None:
        raise DeviceStableError(
            f"{profile.name} shows no clocks, so no latency can be modelled for it; bench on it instead"
        )
    fit = latency_fit()
    cluster.opp(freq_khz)
    inputs = latency_inputs(workload, cluster, freq_khz, setting.threads, precision, soc=profile.name)
    latency_ms = corrected_ms(*inputs, fit.coefficients)
    low, high = (fit.seen_low, fit.seen_high) if _is_checked(profile) else (fit.low, fit.high)
    return ModelledLatency(latency_ms, latency_ms * low, latency_ms * high)


def modelled_frame(
    costs: Iterable[tuple[Workload, str]], profile: SocProfile, setting: Setting
) -> ModelledLatency:
    """Return the latency of a frame whose parts are computed in different precisions.

    Args:
        costs: as ``Bundle.costs`` gives them.

    Raises:
        As ``modelled_latency``.
    """
    parts = [modelled_latency(workload, profile, setting, precision) for workload, precision in costs]
    return ModelledLatency(
        sum(part.latency_ms for part in parts),
        sum(part.low_ms for part in parts),
        sum(part.high_ms for part in parts),
    )


def _is_checked(profile: SocProfile) -> bool:
    """Return whether measurements of this SoC were published, and so part of the fit."""
    return f"soc_{profile.name}" in latency_fit().coefficients


def bounds_basis(profile: SocProfile) -> str:
    """Return in words what the bounds of latencies on this SoC rest on."""
    share = f"{100 * latency_fit().confidence:g} % of published latencies"
    if _is_checked(profile):
        return f"bounds that hold {share} of networks left out, on SoCs of which others were known"
    return f"bounds that hold {share} of SoCs left out; this one was not checked against any phone"


def modelled_latency_ms(
    workload: Workload, profile: SocProfile, setting: Setting, precision: str = "fp32"
) -> float:
    """Return the latency of ``modelled_latency`` alone."""
    return modelled_latency(workload, profile, setting, precision).latency_ms
