"""Predictors as files without pickle: skops, a closed list of types, and the versions that wrote them.

skops is imported where it is used: it walks through all of scikit-learn, which imports torch where
torch is installed.
"""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import sklearn

from predictors.latency import LatencyPredictor

_HEADER = "edgekit.json"
_FORMAT = 2  # 2: quantile, difficulty
_MAX_UNPACKED_BYTES = 256 * 2**20

# What a fitted predictor is made of beyond what skops trusts by itself. Anything else in a file is refused.
TRUSTED_TYPES = (
    "predictors.latency.LatencyPredictor",
    "sklearn.tree._tree.Tree",  # compiled code follows its node indices: see _check_trees
)


class VersionMismatch(ValueError):
    """The file was written with another scikit-learn, whose fitted estimators may differ inside."""


def save_predictor(predictor: LatencyPredictor) -> bytes:
    """Return ``predictor`` as the bytes of a ``.skops`` file with a header of versions."""
    import skops.io

    stream = io.BytesIO(skops.io.dumps(predictor, compression=zipfile.ZIP_DEFLATED))
    header = {"format": _FORMAT, "sklearn": sklearn.__version__}
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(_HEADER, json.dumps(header))
    return stream.getvalue()


def load_predictor(data: bytes) -> LatencyPredictor:
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
    if not isinstance(predictor, LatencyPredictor):
        found = type(predictor).__name__
        raise ValueError(f"predictor file holds a {found}, not a LatencyPredictor; fit it again")
    _check_trees(predictor)
    return predictor


def _check_trees(predictor: LatencyPredictor) -> None:
    """Refuse trees whose indices leave their arrays or turn back: scikit-learn follows them unchecked."""
    learners = (predictor.estimator_[-1], predictor.difficulty_)
    members = [member for each in learners for member in np.ravel(getattr(each, "estimators_", []))]
    for tree in (member.tree_ for member in members):
        parent = np.arange(tree.node_count)
        leaf = tree.children_left == -1
        for child in (tree.children_left, tree.children_right):
            # Trees are stored depth first: a child always comes after its parent.
            if not np.all(np.where(leaf, child == -1, (child > parent) & (child < tree.node_count))):
                raise ValueError("predictor file holds a damaged tree; fit it again")
        if not np.all(leaf | ((tree.feature >= 0) & (tree.feature < predictor.n_features_in_))):
            raise ValueError("predictor file holds a tree over features that are not there; fit it again")
