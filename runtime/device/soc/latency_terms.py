"""What a frame should take on a core, by term, and the factors that correct the terms.

Each kind of arithmetic at the core's peak, every pass over memory, and a fixed cost per op are terms; they
add up, because phones' cores overlap little of them. By how much each is off is fitted to published
measurements (``python -m tests.benchmarks.published --fit``), as a few factors that terms share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.bundle.workload import Op, Workload
from runtime.device.soc.cores import CoreType

# Nominal figures that the fitted factors scale; only their ratios to each other are used.
_PASS_BYTES_PER_CYCLE = 8.0
_MEMORY_BYTES_PER_S = 8e9
_CYCLES_PER_OP = 10_000

ARITHMETIC = ("conv", "conv3x3", "depthwise", "linear", "pass")
MEMORY = ("memory", "weights")
TERMS = (*ARITHMETIC, *MEMORY, "calls")
_MAC_KINDS = ("conv2d", "matmul", "depthwise_conv2d", "linear")
_FEW_CHANNELS = 16  # a 3x3 over fewer, as the first layer's, has no fast algorithm in any engine
_WIDE_MACS = 8
_NARROW_MACS = 1  # of a core in order that waits for no load: its arithmetic takes longer
XNNPACK, TFLITE = "xnnpack", "tflite"
_WITHOUT_WINOGRAD = (XNNPACK, TFLITE)


@dataclass(frozen=True)
class Factor:
    """A correction that terms share.

    Attributes:
        terms: that it scales, by ``exp(coefficient * value)``.
        prior: its coefficient before any measurement.
        spread: how far that may be off, one standard deviation.
    """

    terms: tuple[str, ...]
    prior: float = 0.0
    spread: float = 0.25


FACTORS = {
    # Values are -log(threads): 1 would be a perfect speed-up.
    "threads": Factor(ARITHMETIC, 0.85, 0.1),
    "threads_memory": Factor(MEMORY, 0.3),
    # Threads must meet after each op: value log(threads).
    "threads_calls": Factor(("calls",), 0.1),
    # Of engines that give equal shares to unlike cores: value log(slowest core's time / mean).
    "uneven": Factor(ARITHMETIC, 0.7, 0.3),
    # Narrow: with a wider spread, latencies of SoCs that were left out are worse.
    "in_order": Factor(ARITHMETIC, 0.4, 0.06),
    "in_order_memory": Factor(MEMORY),
    "wide": Factor(ARITHMETIC),
    "wide_memory": Factor(MEMORY),
    "late": Factor(ARITHMETIC),
    "late_memory": Factor(MEMORY),
    "int8": Factor(ARITHMETIC, 0.1),
    "int8_dot": Factor(("conv", "conv3x3", "linear")),
    "fp16": Factor(ARITHMETIC),
    # Of engines with Winograd's algorithm for 3x3 convolutions.
    "winograd": Factor(("conv3x3",), -0.5),
    "winograd_int8": Factor(("conv3x3",)),
    **{f"bias_{term}": Factor((term,), 0.5, 0.4) for term in TERMS},
    "bias_depthwise": Factor(("depthwise",), 1.3, 0.4),
    "bias_pass": Factor(("pass",), 0.0, 0.4),
    "bias_memory": Factor(("memory",), 0.0, 0.4),
}
OF_ENGINE = Factor(TERMS)
OF_SOC = Factor(TERMS, 0.0, 0.2)


def latency_terms_ms(
    workload: Workload, core: CoreType, freq_khz: int, precision: str = "fp32"
) -> dict[str, float]:
    """Return what each term should take on one thread, in ms.

    Args:
        workload: its bytes must be those of ``precision``.
        core: that runs it.
        freq_khz: its clock.
        precision: one of the bundle's, or ``fp16``.
    """
    gain = _gain(core, precision)
    cycles_ms = 1 / freq_khz  # of one cycle
    peak = core.fp32_macs_per_cycle
    terms = dict.fromkeys(TERMS, 0.0)
    for op in workload.ops:
        moved = op.bytes_read + op.bytes_written
        term = _term(op)
        if op.kind in _MAC_KINDS:
            per_cycle = peak * (min(gain, 2.0) if term == "depthwise" else gain)
            terms[term] += op.macs / per_cycle * cycles_ms
        else:
            terms[term] += moved / _PASS_BYTES_PER_CYCLE * cycles_ms
        if op.kind == "linear":
            terms["weights"] += 1e3 * op.bytes_read / _MEMORY_BYTES_PER_S
        terms["memory"] += 1e3 * moved / _MEMORY_BYTES_PER_S
        terms["calls"] += _CYCLES_PER_OP * cycles_ms
    return terms


def latency_factors(
    core: CoreType, threads: int, precision: str = "fp32", engine: str = XNNPACK, soc: str | None = None
) -> dict[str, float]:
    """Return the value of each factor that is not zero, for one frame.

    Args:
        engine: that runs the model; all but ``xnnpack`` have a factor of their own.
        soc: name of the SoC, whose board has a factor of its own where measurements of it were published.
    """
    many = math.log(threads)
    int8, fp16 = _is_int8(precision), precision == "fp16"
    other = engine != XNNPACK
    values = {
        "threads": -many,
        "threads_memory": -many,
        "threads_calls": many,
        "in_order": core.is_in_order and core.fp32_macs_per_cycle > _NARROW_MACS,
        "in_order_memory": core.is_in_order,
        "wide": core.fp32_macs_per_cycle >= _WIDE_MACS,
        "wide_memory": core.fp32_macs_per_cycle >= _WIDE_MACS,
        "late": core.is_late,
        "late_memory": core.is_late,
        "int8": int8,
        "int8_dot": int8 and core.int8_gain > 2,
        "fp16": fp16,
        "winograd": engine not in _WITHOUT_WINOGRAD,
        "winograd_int8": int8 and engine not in _WITHOUT_WINOGRAD,
        **{f"bias_{term}": 1.0 for term in TERMS},
        f"engine_{engine}": other,
        f"int8_{engine}": other and int8,
        f"soc_{soc}": soc is not None,
    }
    return {name: float(value) for name, value in values.items() if value}


def factor_of(name: str) -> Factor:
    """Return the factor called ``name``, also those of an engine or a SoC."""
    if name in FACTORS:
        return FACTORS[name]
    return OF_SOC if name.startswith("soc_") else OF_ENGINE


def corrected_ms(
    terms_ms: Mapping[str, float], factors: Mapping[str, float], coefficients: Mapping[str, float]
) -> float:
    """Return the sum of ``terms_ms``, each scaled by its factors; one without a coefficient is 1."""
    exponents = dict.fromkeys(TERMS, 0.0)
    for name, value in factors.items():
        coefficient = coefficients.get(name, 0.0)
        for term in factor_of(name).terms:
            exponents[term] += coefficient * value
    return sum(ms * math.exp(exponents[term]) for term, ms in terms_ms.items())


def _term(op: Op) -> str:
    if op.kind in ("conv2d", "matmul"):
        is_fast = op.window == 9 and (op.channels_in or 0) >= _FEW_CHANNELS
        return "conv3x3" if is_fast else "conv"
    return {"depthwise_conv2d": "depthwise", "linear": "linear"}.get(op.kind, "pass")


def _is_int8(precision: str) -> bool:
    return precision not in ("fp32", "fp16")


def _gain(core: CoreType, precision: str) -> float:
    return core.int8_gain if _is_int8(precision) else core.fp16_gain if precision == "fp16" else 1.0
