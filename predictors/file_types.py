"""What a file of a predictor may be made of, checked before anything of it is built.

skops trusts all of scikit-learn and numpy by itself. Much of that is compiled code that follows what a
file says without looking: here the list is closed, and trees are read before scikit-learn sees them.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

SCHEMA = "schema.json"
_MOST_SCHEMA_BYTES = 32 << 20  # of 50 trees: 1.6 MB
_MOST_ARRAYS_BYTES = 256 << 20
MOST_FEATURES = 10_000

# skops' kind of node, and what it builds. All that our predictors are made of, and nothing else.
_BUILT = {
    "DictNode": ("builtins.dict",),
    "ListNode": ("builtins.list",),
    "TupleNode": ("builtins.tuple",),
    "SliceNode": ("builtins.slice",),
    "JsonNode": ("builtins.str",),
    "TypeNode": ("builtins.str", "builtins.int"),  # of a dict's keys
    "FunctionNode": ("numpy.exp", "numpy.log"),
    "NdArrayNode": (
        "numpy.ndarray",
        *("numpy.float64", "numpy.float32", "numpy.int64", "numpy.int32", "numpy.bool", "numpy.str_"),
    ),
    "RandomStateNode": ("numpy.random.mtrand.RandomState",),
    "LossNode": ("sklearn._loss._loss.CyHalfSquaredError",),
    "TreeNode": ("sklearn.tree._tree.Tree",),
    "ObjectNode": (
        "predictors.additive.AdditiveLatency",
        "predictors.boosted_trees.BoostedTrees",
        "predictors.frames.bounds.FrameBounds",
        "predictors.frames.candidates.NearestPages",
        "predictors.frames.candidates.TellingColumns",
        "predictors.frames.curve.FrameCurve",
        "predictors.frames.online.OnlineFrames",
        "predictors.frames.rate.FrameRate",
        "predictors.frames.seen_range.FrameRange",
        "predictors.frames.work.FrameWork",
        "predictors.latency.LatencyPredictor",
        "predictors.median_ridge.MedianRidge",
        "predictors.online.OnlineLatency",
        "predictors.op_latency.OpLatency",
        "predictors.transfer.TransferLatency",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.compose._column_transformer.ColumnTransformer",
        "sklearn.compose._target.TransformedTargetRegressor",
        "sklearn.dummy.DummyRegressor",
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.ensemble._gb.GradientBoostingRegressor",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.neural_network._multilayer_perceptron.MLPRegressor",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        "sklearn.preprocessing._polynomial.PolynomialFeatures",
        "sklearn.svm._classes.SVR",
        "sklearn.tree._classes.DecisionTreeRegressor",
    ),
}
# What skops does not trust by itself.
TRUSTED_TYPES = tuple(
    name
    for name in (*_BUILT["ObjectNode"], *_BUILT["TreeNode"])
    if name.startswith(("predictors.", "sklearn.tree._tree"))
)


class DamagedPredictor(ValueError):
    """A file that nobody saved as a predictor, or that was changed since."""


def check_types(archive: zipfile.ZipFile) -> None:
    """Make sure that skops would build nothing but the types above, and only trees that can be followed.

    Raises:
        DamagedPredictor: it would, or the file is damaged.
    """
    if archive.getinfo(SCHEMA).file_size > _MOST_SCHEMA_BYTES:
        raise DamagedPredictor(f"its schema has more than {_MOST_SCHEMA_BYTES} bytes; fit it again")
    nodes = list(_nodes(json.loads(archive.read(SCHEMA))))
    foreign = {name for node in nodes if (name := _built(node)) not in _BUILT.get(node["__loader__"], ())}
    if foreign:
        raise DamagedPredictor(
            f"predictor file holds untrusted types: {', '.join(sorted(foreign))}; fit it again"
        )
    trees = [node for node in nodes if node["__loader__"] == "TreeNode"]
    # skops builds what has an id once: a second node of that id would be checked here and not be built.
    in_trees = {part.get("__id__") for tree in trees for part in _nodes(tree)} - {None}
    first: dict[Any, dict[str, Any]] = {}
    for node in nodes:
        number = node.get("__id__")
        if number in in_trees and not _is_same(first.setdefault(number, node), node):
            raise DamagedPredictor("predictor file gives two things one id; fit it again")
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    if sum(sizes[node["file"]] for node in nodes if "file" in node) > _MOST_ARRAYS_BYTES:
        raise DamagedPredictor(f"predictor unpacks to more than {_MOST_ARRAYS_BYTES} bytes; fit it again")
    for tree in trees:
        _check_tree(archive, tree)


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield everything in a schema that skops would build."""
    left = [schema]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if "__loader__" in item:
                yield item
            left += item.values()
        elif isinstance(item, list):
            left += item


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two parts of a schema are equal but for their ids."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        names = one.keys() | other.keys()
        return all(name == "__id__" or _is_same(one.get(name), other.get(name)) for name in names)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _built(node: dict[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _check_tree(archive: zipfile.ZipFile, node: dict[str, Any]) -> None:
    """Refuse a tree whose indices leave its arrays or turn back: scikit-learn follows them unchecked."""
    n_features, n_classes, n_outputs = (
        _plain(archive, part) for part in node["__reduce__"]["args"]["content"]
    )
    state = {name: _plain(archive, part) for name, part in node["content"]["content"].items()}
    nodes, values, count = state["nodes"], state["values"], state["node_count"]
    is_one_value = type(n_outputs) is int and n_outputs == 1 and np.array_equal(n_classes, [1])
    is_whole = (
        type(count) is int
        and isinstance(nodes, np.ndarray)
        and nodes.shape == (count,)
        and count > 0
        and isinstance(values, np.ndarray)
        and values.shape == (count, 1, 1)
        and values.dtype == np.float64
    )
    if not (is_one_value and is_whole and type(n_features) is int and 0 < n_features <= MOST_FEATURES):
        raise DamagedPredictor("predictor file holds a damaged tree; fit it again")
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    leaf = left == -1
    parent = np.arange(count)
    for child in (left, right):
        # Trees are stored depth first: a child always comes after its parent, so that no path turns back.
        if not np.all(np.where(leaf, child == -1, (child > parent) & (child < count))):
            raise DamagedPredictor("predictor file holds a damaged tree; fit it again")
    if not np.all(leaf | ((feature >= 0) & (feature < n_features))):
        raise DamagedPredictor("predictor file holds a tree over features that are not there; fit it again")


def _plain(archive: zipfile.ZipFile, node: dict[str, Any]) -> Any:
    """Return a number or an array of the file as skops would."""
    if node["__loader__"] == "NdArrayNode" and node["type"] == "numpy":
        data = archive.read(node["file"])
        with io.BytesIO(data) as stream:
            shape, _, dtype = _read_header(stream)
            if dtype.hasobject or math.prod(shape) * dtype.itemsize > len(data):
                raise DamagedPredictor("predictor file holds an array that is cut short; fit it again")
        return np.load(io.BytesIO(data), allow_pickle=False)
    if node["__loader__"] == "JsonNode":
        return json.loads(node["content"])
    raise DamagedPredictor(
        f"predictor file holds a {node['__loader__']} where a tree has numbers; fit it again"
    )


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)
