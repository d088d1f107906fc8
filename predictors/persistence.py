"""Predictors as files without pickle: skops, a closed list of types, and the versions that wrote them.

skops is imported where it is used: it walks through all of scikit-learn, which imports torch where
torch is installed.
"""

from __future__ import annotations

import copy
import io
import json
import warnings
import zipfile
from typing import get_args

import numpy as np
import sklearn

from predictors.file_places import Predictor, check_places, n_features_of
from predictors.file_types import TRUSTED_TYPES, DamagedPredictor, check_types
from predictors.frames.online import OnlineFrames
from predictors.frames.rate import FrameRate
from predictors.latency import LatencyPredictor
from predictors.online import OnlineLatency
from predictors.op_latency import OpLatency
from predictors.transfer import TransferLatency

_HEADER = "edgekit.json"
_FORMAT = 3  # 3: the kind of interval is chosen; sums of costs, transferred and corrected predictors
_MAX_UNPACKED_BYTES = 256 * 2**20


class VersionMismatch(ValueError):
    """The file was written with another scikit-learn, whose fitted estimators may differ inside."""


def save_predictor(predictor: Predictor) -> bytes:
    """Return ``predictor`` as the bytes of a ``.skops`` file with a header of versions."""
    import skops.io

    stream = io.BytesIO(skops.io.dumps(predictor, compression=zipfile.ZIP_DEFLATED))
    header = {"format": _FORMAT, "sklearn": sklearn.__version__}
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(_HEADER, json.dumps(header))
    return stream.getvalue()


def load_predictor(data: bytes) -> Predictor:
    """Return the predictor in ``data``, after its versions, types and trees were checked.

    Raises:
        VersionMismatch: written with another format or scikit-learn.
        ValueError: not such a file, damaged, or holding what no predictor is made of.
    """
    try:
        return _load(data)
    except (DamagedPredictor, VersionMismatch):
        raise
    except Exception as err:
        # A damaged file fails in zipfile, zlib, json, numpy, skops or scikit-learn, each in its own ways.
        why = " ".join(str(err).split())[:200] or type(err).__name__
        raise DamagedPredictor(f"predictor file cannot be read ({why}); fit it again") from err


def _load(data: bytes) -> Predictor:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size_bytes = sum(entry.file_size for entry in archive.infolist())
        if size_bytes > _MAX_UNPACKED_BYTES:
            raise DamagedPredictor(
                f"predictor unpacks to {size_bytes} bytes; allowed: {_MAX_UNPACKED_BYTES}; fit it again"
            )
        header = json.loads(archive.read(_HEADER))
        written = (
            {key: header.get(key) for key in ("format", "sklearn")} if isinstance(header, dict) else header
        )
        installed = {"format": _FORMAT, "sklearn": sklearn.__version__}
        if written != installed:
            raise VersionMismatch(
                f"predictor was written with {written}, installed is {installed}; fit it again"
            )
        check_types(archive)

    import skops.io

    predictor = skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    if not isinstance(predictor, Predictor):
        found = type(predictor).__name__
        raise DamagedPredictor(f"predictor file holds a {found}, no predictor; fit it again")
    check_places(predictor, get_args(Predictor))
    _try_out(predictor)
    return predictor


def _try_out(predictor: Predictor) -> None:
    """Predict once: what is damaged where no compiled code looks shows itself here."""
    is_online = isinstance(predictor, OnlineLatency | OnlineFrames)
    inner = predictor.predictor if is_online else predictor
    asked = predictor
    if isinstance(inner, FrameRate):  # the middle of each column may be no page that was seen
        asked = copy.copy(inner)
        asked.on_extrapolate = "warn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = np.asarray(asked.predict(_example(inner)[None]), np.float64)
    if len(predicted) != 1 or not np.isfinite(predicted).all():
        raise DamagedPredictor("predictor file predicts nothing; fit it again")


def _example(predictor: Predictor) -> np.ndarray:
    """Return a row in the middle of what ``predictor`` knows."""
    row = np.ones(n_features_of(predictor))
    if isinstance(predictor, FrameRate):
        return predictor.range_.middle(predictor.n_work)
    if isinstance(predictor, OpLatency):
        row[0] = predictor.kinds_[0]
    elif isinstance(predictor, LatencyPredictor | TransferLatency):
        low, high = (np.asarray(end, np.float64) for end in (predictor.hull_low_, predictor.hull_high_))
        row = (low + high) / 2
    return row
