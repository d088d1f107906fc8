import numpy as np
import pytest

from predictors import RailPower


def samples(n=400, seed=0):
    """Return rail samples whose busy power grows with instructions per cycle."""
    rng = np.random.default_rng(seed)
    freq_ghz = rng.choice([1.0, 1.5, 2.0], n)
    volt = 0.4 + 0.45 * freq_ghz
    temp_c, busy, ipc = rng.uniform(45, 60, n), rng.uniform(0.3, 1, n), rng.uniform(0.4, 1.8, n)
    switching = freq_ghz * volt**2
    power_mw = 250 * switching * busy * (1 + 0.5 * np.sqrt(ipc)) + 60 * volt + 20
    power_mw *= np.exp(0.02 * rng.standard_normal(n))
    return np.stack([freq_ghz, volt, temp_c, busy, ipc], axis=1), power_mw


def off_pct(model, X, y):
    return 100 * np.mean(np.abs(model.fit(X[:200], y[:200]).predict(X[200:]) / y[200:] - 1))


def test_instructions_per_cycle_bring_the_error_down_to_the_noise():
    X, y = samples()
    assert off_pct(RailPower(), X, y) < 2
    assert off_pct(RailPower(ipc=False), X[:, :4], y) > 4


def test_a_few_wild_samples_do_not_matter():
    X, y = samples()
    y[:10] *= 5
    assert off_pct(RailPower(), X, y) < 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X[:, :4], y), "5 are needed: freq_ghz, volt, temp_c, utilisation, ipc"),
        (lambda X, y: (X, y * 0), "a rail takes more"),
        (lambda X, y: (X[:5], y[:5]), "5 samples for 8 terms"),
        (lambda X, y: (X * np.nan, y), "NaN"),
    ],
)
def test_bad_samples_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RailPower().fit(*change(*samples()))
