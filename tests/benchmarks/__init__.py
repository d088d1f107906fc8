"""Benchmark programs: ``python -m tests.benchmarks.NAME [--json PATH]``."""
