"""Benchmark programs of others: their command lines, and what they print as numbers."""

from runtime.engines.programs.benchmark_model import BenchmarkModel, RunStats, parse_stats
from runtime.engines.programs.executor_runner import ExecutorRunner
from runtime.engines.programs.runner import RUNNERS, Request, Runner, Timings

__all__ = [
    "RUNNERS",
    "BenchmarkModel",
    "ExecutorRunner",
    "Request",
    "RunStats",
    "Runner",
    "Timings",
    "parse_stats",
]
