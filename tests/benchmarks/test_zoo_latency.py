"""The benchmark's arithmetic on networks whose ops' true times are known."""

import random

import numpy as np
import pytest

from runtime.choose.fitting.kernels.learn import learn_kernels
from tests.benchmarks.zoo_latency import Guess, Network, by_op, off_pct, summarise
from tests.runtime.choose.fitting.kernels.laboratory import draw_workload, source, time_of


def networks(count, ops=60):
    rng = random.Random(count)
    return [
        Network(f"family{i % 3}-{i}", time_of(draw_workload(rng, ops), rng), np.zeros(3), 2.0)
        for i in range(count)
    ]


def test_networks_are_predicted_by_kernels_alone():
    rng = random.Random(0)
    kernels = [time_of(draw_workload(rng, 30), rng) for _ in range(20)]
    fit, estimator, _ = learn_kernels(kernels, source(), {})
    every = networks(12)
    guesses = [by_op(fit, estimator, one) for one in every]
    assert max(abs(off_pct(guess, one)) for guess, one in zip(guesses, every, strict=True)) < 5
    summary = summarise(every, {"kernels": guesses})
    assert (summary["kernels_within_10pct_pct"], summary["kernels_refused"]) == (100, 0)
    assert summary["kernels_coverage_pct"] > 80


def test_a_refused_network_is_not_within_10_percent():
    every = networks(4)
    guesses = [Guess(one.timed.latency_ms) for one in every[:3]] + [Guess(np.nan)]
    summary = summarise(every, {"kernels": guesses})
    assert (summary["kernels_within_10pct_pct"], summary["kernels_refused"]) == (75, 1)
    assert summary["kernels_mape_pct"] == pytest.approx(0)
