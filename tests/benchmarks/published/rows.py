"""Rows of a table of published latencies, each with its network's workload and the core that ran it."""

from __future__ import annotations

import csv
import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runtime.bundle.workload import Workload
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile
from runtime.device.soc.latency_terms import TFLITE, XNNPACK
from tests.benchmarks.published.networks.catalogue import NETWORKS
from tests.benchmarks.published.socs import SOCS, cores_of, profile_of

TABLE = Path(__file__).with_name("latencies.csv")
_COLUMNS = (
    "soc", "cluster", "threads", "clock_mhz", "engine", "network", "input", "precision", "latency_ms",
)  # fmt: skip
# As tables name engines → the name of its factor.
_ENGINES = {
    **dict.fromkeys(
        ("XNNPACK", "TFLite", "TFLite+XNNPACK", "MediaPipe/TFLite", "ExecuTorch XNNPACK"), XNNPACK
    ),
    **{name: name for name in ("ncnn", "Paddle-Lite", "ARM-CL", "Tengine", "TVM", "MNN")},
}
# TFLite of 2019 and before had kernels that were given up since; those of 2020 run about as fast as XNNPACK.
_OLD_TFLITE = re.compile(r"201\d")
_PRECISIONS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class PublishedRow:
    """A measurement that somebody published.

    Attributes:
        engine: as the table names it; ``family`` is the engine whose factor it takes.
        profile: the cores that ran, each at one clock.
        setting: on all of them.
    """

    soc: str
    core: str
    network: str
    size: int
    engine: str
    family: str
    precision: str
    profile: SocProfile
    setting: Setting
    latency_ms: float

    @property
    def workload(self) -> Workload:
        return _workload(self.network, self.size, self.precision)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from every other measurement."""
        s = self.setting
        return (self.soc, self.core, self.network, self.size, self.engine, self.precision, s, self.latency_ms)


@functools.cache
def _workload(network: str, size: int, precision: str) -> Workload:
    return NETWORKS[network].build(size).workload(precision)


def read_rows(path: Path) -> tuple[list[PublishedRow], Counter[str]]:
    """Return the rows that can be modelled, and why how many others cannot.

    Raises:
        click.ClickException: the file is no such table.
    """
    rows, left_out = [], Counter[str]()
    for line in _lines(path):
        found = _row(line)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            rows.append(found)
    if not rows:
        why = "; ".join(f"{reason} ({count})" for reason, count in left_out.items()) or "it is empty"
        raise click.ClickException(f"{path} has no row that can be modelled: {why}")
    return rows, left_out


def _lines(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
            if missing:
                raise click.ClickException(
                    f"{path} lacks the columns {', '.join(missing)}; needed are {', '.join(_COLUMNS)}"
                )
            yield from table
    except (OSError, UnicodeError, csv.Error) as err:
        raise click.ClickException(f"{path} cannot be read as a CSV table: {err}") from err


def _row(line: dict[str, str]) -> PublishedRow | str:
    """Return the row, or why it is left out."""
    network, engine, soc, precision = (line[name] or "" for name in ("network", "engine", "soc", "precision"))
    if network not in NETWORKS:
        return f"network {network!r} has no table of layers"
    if engine not in _ENGINES:
        return f"engine {engine!r} is unknown"
    if precision not in _PRECISIONS:
        return f"precision {precision!r} is unknown"
    if soc not in SOCS:
        return f"SoC {soc!r} is unknown"
    clock_mhz = (line["clock_mhz"] or "").partition("+")
    try:
        threads, size, latency_ms = int(line["threads"]), int(line["input"]), float(line["latency_ms"])
        freq_khz = int(1000 * float(clock_mhz[0])) if clock_mhz[0] else None
    except (ValueError, OverflowError):  # an infinite clock
        return "threads, input, clock or latency is not a number"
    if not (
        threads > 0
        and 16 <= size <= 4096
        and 0 < latency_ms < 1e7
        and (freq_khz is None or 0 < freq_khz < 1e8)
    ):
        return "threads, input, clock or latency is out of range"
    cores = cores_of(soc, line["cluster"] or "", line["clock_mhz"] or "", threads)
    if cores is None:
        return f"cluster {line['cluster']!r} of {soc}: not said which cores ran"
    threads = min(threads, sum(count for _, count, _ in cores))  # more than cores add nothing
    profile = profile_of(soc, cores, threads, freq_khz)
    core = "+".join(dict.fromkeys(cluster.core for cluster in reversed(profile.clusters)))
    setting = Setting("+".join(cluster.name for cluster in profile.clusters), None, threads)
    is_old = engine == "TFLite" and _OLD_TFLITE.match(line.get("engine_version") or "")
    family = TFLITE if is_old else _ENGINES[engine]
    return PublishedRow(soc, core, network, size, engine, family, precision, profile, setting, latency_ms)
