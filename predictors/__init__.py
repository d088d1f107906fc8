"""Scikit-learn estimators of latency and frame rate: arrays in, arrays out.

Nothing here knows of bundles, SoCs or files of the machine. Bad input is a ``ValueError``, an
estimator that was not fitted is scikit-learn's ``NotFittedError``.
"""

from predictors.additive import AdditiveLatency
from predictors.candidates import candidate_names
from predictors.factored import FactoredLatency
from predictors.frames.mean import MeanFrames
from predictors.frames.online import OnlineFrames
from predictors.frames.rate import FrameRate
from predictors.frames.transfer import transfer_frames
from predictors.frames.work import FrameWork
from predictors.latency import LatencyPredictor
from predictors.online import OnlineLatency
from predictors.op_latency import OpLatency
from predictors.persistence import VersionMismatch, load_predictor, save_predictor
from predictors.sampling import choose_samples
from predictors.transfer import TransferLatency

__all__ = [
    "AdditiveLatency",
    "FactoredLatency",
    "FrameRate",
    "FrameWork",
    "LatencyPredictor",
    "MeanFrames",
    "OnlineFrames",
    "OnlineLatency",
    "OpLatency",
    "TransferLatency",
    "VersionMismatch",
    "candidate_names",
    "choose_samples",
    "load_predictor",
    "save_predictor",
    "transfer_frames",
]
