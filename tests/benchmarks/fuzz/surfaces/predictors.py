"""Predictors as files: archives of a schema and arrays, which scikit-learn's compiled code follows."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from predictors import load_predictor
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface
from tests.predictors import crafted_files


@surface("skops", quick=60, share=3)
def skops(folder: Path) -> Prepared:
    """Small predictors of each kind, loaded and asked."""
    kinds = ("random_forest", "gradient_boosting", "svr", "mlp", "linear")
    members = {kind: crafted_files.small(kind) for kind in kinds}
    samples = tuple(Sample(kind, crafted_files.packed(each), "zip") for kind, each in members.items())

    def read(sample: Sample, data: bytes) -> None:
        if len(data) % 2:  # half of them as somebody who knows the format would write them
            data = crafted_files.crafted(members[sample.name], random.Random(data))
        predictor = load_predictor(data)
        with np.errstate(all="ignore"):
            predictor.predict(crafted_files.X)

    return Prepared(samples, read, (ValueError,))
