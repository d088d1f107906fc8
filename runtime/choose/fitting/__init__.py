"""Records in, a latency predictor out: fitted, transferred from another target, corrected by a run."""

from runtime.choose.fitting.fit import fit_bundle
from runtime.choose.fitting.result import FIT_SCHEMA, FitResult
from runtime.choose.fitting.storage import load_fit
from runtime.choose.fitting.usable import features_of, ran_at, usable_records

__all__ = [
    "FIT_SCHEMA",
    "FitResult",
    "features_of",
    "fit_bundle",
    "load_fit",
    "ran_at",
    "usable_records",
]
