"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from runtime.errors import DataError
from runtime.measure.formats.benchmark_model import benchmark_model_text
from runtime.measure.formats.blocks_trace import blocks_trace
from runtime.measure.formats.pytest_benchmark import pytest_benchmark_json
from runtime.measure.formats.table import csv_table
from runtime.measure.records import Record


def json_lines(records: Sequence[Record]) -> bytes:
    """Return one record a line, as they are logged."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


FORMATS: Mapping[str, Callable[[Sequence[Record]], bytes]] = MappingProxyType(
    {
        "jsonl": json_lines,
        "csv": csv_table,
        "pytest-benchmark": pytest_benchmark_json,
        "trace": blocks_trace,
        "benchmark-model": benchmark_model_text,
    }
)


def convert(records: Sequence[Record], wanted: str) -> bytes:
    """Return ``records`` in the format ``wanted``.

    Raises:
        ValueError: an unknown format.
        DataError: there are no records.

    Example:
        >>> convert(list(RecordLog("local.jsonl")), "csv")      # doctest: +SKIP
    """
    if wanted not in FORMATS:
        raise ValueError(f"format {wanted!r} is unknown; choose one of: {', '.join(FORMATS)}")
    if not records:
        raise DataError("there are no records to convert; make some: edgekit bench")
    return FORMATS[wanted](records)
