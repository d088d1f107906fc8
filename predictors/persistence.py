"""Predictors as files without pickle: skops, a closed list of types, and the versions that wrote them.

skops is imported where it is used: it walks through all of scikit-learn, which imports torch where
torch is installed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

from predictors.additive import AdditiveLatency
from predictors.latency import LatencyPredictor
from predictors.online import OnlineLatency
from predictors.transfer import TransferLatency

_HEADER = "edgekit.json"
_FORMAT = 3  # 3: the kind of interval is chosen; sums of costs, transferred and corrected predictors
_MAX_UNPACKED_BYTES = 256 * 2**20

# What a fitted predictor is made of beyond what skops trusts by itself. Anything else in a file is refused.
TRUSTED_TYPES = (
    "predictors.additive.AdditiveLatency",
    "predictors.latency.LatencyPredictor",
    "predictors.median_ridge.MedianRidge",
    "predictors.online.OnlineLatency",
    "predictors.transfer.TransferLatency",
    "sklearn.tree._tree.Tree",  # compiled code follows its node indices: see _check_trees
)


# Where an estimator keeps those that it is made of.
_PARTS = ("estimator_", "difficulty_", "residual_", "regressor_", "source", "predictor")


class VersionMismatch(ValueError):
    """The file was written with another scikit-learn, whose fitted estimators may differ inside."""


Predictor = AdditiveLatency | LatencyPredictor | OnlineLatency | TransferLatency


def save_predictor(predictor: Predictor) -> bytes:
    """Return ``predictor`` as the bytes of a ``.skops`` file with a header of versions."""
    import skops.io

    stream = io.BytesIO(skops.io.dumps(predictor, compression=zipfile.ZIP_DEFLATED))
    header = {"format": _FORMAT, "sklearn": sklearn.__version__}
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(_HEADER, json.dumps(header))
    return stream.getvalue()


def load_predictor(data: bytes) -> Predictor:
    """Return the predictor in ``data``, after its versions and types were checked.

    Raises:
        VersionMismatch: written with another format or scikit-learn.
        ValueError: not such a file, damaged, or holding a type that is not trusted.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size_bytes = sum(entry.file_size for entry in archive.infolist())
            if size_bytes > _MAX_UNPACKED_BYTES:
                raise ValueError(f"predictor unpacks to {size_bytes} bytes; allowed: {_MAX_UNPACKED_BYTES}")
            header = json.loads(archive.read(_HEADER))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, json.JSONDecodeError) as err:
        raise ValueError(f"predictor file cannot be read ({err}); fit it again") from err
    written = {key: header.get(key) for key in ("format", "sklearn")} if isinstance(header, dict) else header
    installed = {"format": _FORMAT, "sklearn": sklearn.__version__}
    if written != installed:
        raise VersionMismatch(f"predictor was written with {written}, installed is {installed}; fit it again")

    import skops.io

    foreign = sorted(set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
    if foreign:
        raise ValueError(f"predictor file holds untrusted types: {', '.join(foreign)}; fit it again")
    predictor = skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    if not isinstance(predictor, Predictor):
        found = type(predictor).__name__
        raise ValueError(f"predictor file holds a {found}, no predictor of latency; fit it again")
    for forest in _forests(predictor):
        _check_trees(forest)
    return predictor


def _forests(estimator: object) -> Iterator[Any]:
    """Yield every ensemble of trees inside ``estimator``."""
    if estimator is None:
        return
    if isinstance(estimator, Pipeline):
        yield from _forests(estimator[-1])
    elif hasattr(estimator, "estimators_"):
        yield estimator
    else:
        for name in _PARTS:
            yield from _forests(getattr(estimator, name, None))


def _check_trees(forest: Any) -> None:
    """Refuse trees whose indices leave their arrays or turn back: scikit-learn follows them unchecked."""
    for tree in (member.tree_ for member in np.ravel(forest.estimators_)):
        parent = np.arange(tree.node_count)
        leaf = tree.children_left == -1
        for child in (tree.children_left, tree.children_right):
            # Trees are stored depth first: a child always comes after its parent.
            if not np.all(np.where(leaf, child == -1, (child > parent) & (child < tree.node_count))):
                raise ValueError("predictor file holds a damaged tree; fit it again")
        # A forest refuses rows of another number of columns than this before its trees see them.
        if not np.all(leaf | ((tree.feature >= 0) & (tree.feature < forest.n_features_in_))):
            raise ValueError("predictor file holds a tree over features that are not there; fit it again")
