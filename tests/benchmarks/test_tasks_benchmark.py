"""What the benchmark of tasks says of rows."""

import pytest

from tests.benchmarks import _face_parsing


def test_gains_are_over_the_crop_with_the_best_score():
    scores = {
        "tanh": [(0.7, 0.6), (0.8, 0.6)],
        "crop 1.35": [(0.6, 0.5), (0.7, 0.3)],
        "crop 2.0": [(0.5, 0.9), (0.6, 0.9)],
        "crop 3.0": [(0.4, 0.9), (0.4, 0.9)],
        "whole": [(0.2, 0.1), (0.2, 0.1)],
    }
    rows = [
        {"size": size, "seed": seed, "roi": roi, "miou": miou, "hair": hair, "train_s": 2.0}
        for size in (64, 128)
        for roi, of in scores.items()
        for seed, (miou, hair) in enumerate(of)
    ]
    of_files = dict.fromkeys(_face_parsing._OF_FILES, 0.5)
    next(row for row in rows if row["size"] == 128)["files"] = {"litert": of_files | {"mac_ratio": 1.5}}
    summary = _face_parsing.summary(rows)
    assert summary["score"] == pytest.approx(0.75)
    assert summary["ablations"]["whole"] == pytest.approx(0.2)
    assert summary["gain"] == pytest.approx(0.1)
    assert summary["gain_std"] == pytest.approx(0.0, abs=1e-9)
    assert summary["mac_ratio"] == {"litert": 1.5}
    assert summary["hair_gain"] == pytest.approx(0.2)
    assert 100 < summary["lines"] < 200
