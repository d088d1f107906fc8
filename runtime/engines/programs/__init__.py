"""Benchmark programs of others: their command lines, and what they print as numbers."""

from runtime.engines.programs.android_results import AppResult, parse_benchmark_results
from runtime.engines.programs.benchmark_model import BenchmarkModel, RunStats, parse_stats
from runtime.engines.programs.executor_runner import ExecutorRunner
from runtime.engines.programs.op_csv import OpRow, parse_op_csv
from runtime.engines.programs.runner import RUNNERS, Request, Runner, Timings

__all__ = [
    "RUNNERS",
    "AppResult",
    "BenchmarkModel",
    "ExecutorRunner",
    "OpRow",
    "Request",
    "RunStats",
    "Runner",
    "Timings",
    "parse_benchmark_results",
    "parse_op_csv",
    "parse_stats",
]
