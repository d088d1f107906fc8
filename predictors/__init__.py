"""Scikit-learn estimators of latency: arrays in, arrays out.

Nothing here knows of bundles, SoCs or files of the machine. Bad input is a ``ValueError``, an
estimator that was not fitted is scikit-learn's ``NotFittedError``.
"""

from predictors.candidates import candidate_names
from predictors.latency import LatencyPredictor
from predictors.persistence import VersionMismatch, load_predictor, save_predictor

__all__ = ["LatencyPredictor", "VersionMismatch", "candidate_names", "load_predictor", "save_predictor"]
