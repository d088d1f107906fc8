"""Benchmark programs of others: their command lines, and what they print as numbers."""

from runtime.runners.android_results import AppResult, parse_benchmark_results
from runtime.runners.benchmark_model import BenchmarkModel, RunStats, parse_stats
from runtime.runners.executor_runner import ExecutorRunner
from runtime.runners.op_csv import OpRow, parse_op_csv
from runtime.runners.runner import RUNNERS, Request, Runner, Timings

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
