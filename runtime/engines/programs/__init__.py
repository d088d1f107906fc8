"""Benchmark programs of others: their command lines, and what they print as numbers."""

from runtime.engines.programs.benchmark_model import BenchmarkModel, RunStats, parse_stats
from runtime.engines.programs.executor_runner import ExecutorRunner
from runtime.engines.programs.runner import RUNNERS, ProgramRequest, ProgramRunner, Timings

__all__ = [
    "RUNNERS",
    "BenchmarkModel",
    "ExecutorRunner",
    "ProgramRequest",
    "ProgramRunner",
    "RunStats",
    "Timings",
    "parse_stats",
]
