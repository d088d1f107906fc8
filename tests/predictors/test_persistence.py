"""Predictors as files: the same numbers back, and nothing foreign let in."""

import io
import json
import zipfile

import numpy as np
import pytest
import sklearn
import skops.io

from predictors import (
    AdditiveLatency,
    LatencyPredictor,
    OnlineLatency,
    TransferLatency,
    VersionMismatch,
    candidate_names,
    load_predictor,
    save_predictor,
)
from predictors.file_types import TRUSTED_TYPES

X = np.linspace(0, 2, 30)[:, None]
Y = np.exp(3 - X[:, 0])


class ForeignType:
    """Something that skops can write and the list of types does not name."""


def fitted(name="linear"):
    return LatencyPredictor(candidates=(name,), normalized=False).fit(X, Y)


def drifted(predictor):
    return OnlineLatency(predictor).partial_fit(X[5:15], 1.5 * Y[5:15])


OTHERS = {
    "additive": lambda: AdditiveLatency(residuals=("gradient_boosting",)).fit(X, Y),
    "additive inside": lambda: LatencyPredictor(("additive_corrected",), costs=(0,)).fit(
        np.column_stack([Y, X]), Y * (1 + (X[:, 0] > 1))
    ),
    "transferred": lambda: TransferLatency(fitted("random_forest")).fit(X[::3], 2 * Y[::3]),
    "corrected": lambda: drifted(fitted()),
    "transferred, then corrected": lambda: drifted(TransferLatency(fitted()).fit(X[::3], Y[::3])),
}


def rewrite(data, member, change):
    """Return the archive with one member's JSON changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == member:
                document = json.loads(content)
                change(document)
                content = json.dumps(document).encode()
            new.writestr(entry, content)
    return out.getvalue()


@pytest.mark.parametrize("name", candidate_names())
def test_every_candidate_predicts_the_same_after_a_round_trip(name):
    predictor = fitted(name)
    loaded = load_predictor(save_predictor(predictor))
    np.testing.assert_array_equal(loaded.predict(X), predictor.predict(X))
    np.testing.assert_array_equal(loaded.predict_interval(X), predictor.predict_interval(X))
    assert (loaded.chosen_, loaded.scores_) == (name, predictor.scores_)


@pytest.mark.parametrize("name", candidate_names())
def test_trusted_types_are_the_ones_needed_and_no_more(name):
    found = set(skops.io.get_untrusted_types(data=save_predictor(fitted(name))))
    trees = {"sklearn.tree._tree.Tree"} if name in ("random_forest", "gradient_boosting") else set()
    assert found == {"predictors.latency.LatencyPredictor"} | trees


@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_of_predictor_survives_and_needs_no_other_type(kind):
    predictor = OTHERS[kind]()
    data = save_predictor(predictor)
    assert set(skops.io.get_untrusted_types(data=data)) <= set(TRUSTED_TYPES)
    loaded = load_predictor(data)
    at = np.column_stack([Y, X]) if kind == "additive inside" else X
    np.testing.assert_array_equal(loaded.predict(at), predictor.predict(at))
    if kind != "additive":
        np.testing.assert_array_equal(loaded.predict_interval(at), predictor.predict_interval(at))


def test_a_corrected_predictor_goes_on_where_it_stopped():
    predictor = OnlineLatency(fitted()).partial_fit(X[5:8], 1.5 * Y[5:8])
    loaded = load_predictor(save_predictor(predictor))
    assert predictor.drifts_ == 0
    assert loaded.partial_fit(X[8:10], 1.5 * Y[8:10]).drifts_ == 1


@pytest.mark.parametrize("kind", ["transferred", "additive"])
def test_damaged_trees_are_found_wherever_they_are(kind):
    predictor = OTHERS[kind]()
    ensemble = predictor.source.estimator_[-1] if kind == "transferred" else predictor.residual_[-1]
    tree = np.ravel(ensemble.estimators_)[0].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10_000
    tree.__setstate__(state)
    with pytest.raises(ValueError, match="damaged tree"):
        load_predictor(save_predictor(predictor))


def test_file_of_a_foreign_type_is_refused():
    predictor = fitted()
    predictor.estimator_ = ForeignType()
    with pytest.raises(ValueError, match=r"untrusted types: .*ForeignType"):
        load_predictor(save_predictor(predictor))


def test_file_tampered_to_construct_another_type_is_refused():
    def point_elsewhere(schema):
        schema["__class__"], schema["__module__"] = "Popen", "subprocess"

    with pytest.raises(ValueError, match=r"untrusted types: subprocess\.Popen"):
        load_predictor(rewrite(save_predictor(fitted()), "schema.json", point_elsewhere))


def test_other_estimator_in_the_file_is_refused():
    with pytest.raises(ValueError, match="holds a Pipeline"):
        load_predictor(save_predictor(fitted().estimator_))


def test_tree_whose_nodes_point_outside_is_refused():
    predictor = fitted("random_forest")
    tree = predictor.estimator_[-1].estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10_000
    tree.__setstate__(state)
    with pytest.raises(ValueError, match="damaged tree"):
        load_predictor(save_predictor(predictor))


def test_tree_over_a_feature_that_is_not_there_is_refused():
    predictor = fitted("gradient_boosting")
    tree = predictor.estimator_[-1].estimators_[0, 0].tree_
    state = tree.__getstate__()
    state["nodes"]["feature"][0] = 7
    tree.__setstate__(state)
    with pytest.raises(ValueError, match="features that are not there"):
        load_predictor(save_predictor(predictor))


def test_a_normalised_interval_survives_and_its_trees_are_checked():
    predictor = LatencyPredictor(candidates=("linear",), normalized=True).fit(X, Y)
    loaded = load_predictor(save_predictor(predictor))
    np.testing.assert_array_equal(loaded.predict_interval(X), predictor.predict_interval(X))
    tree = predictor.difficulty_.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"]["feature"][:] = 7
    state["nodes"]["left_child"][0] = 10_000
    tree.__setstate__(state)
    with pytest.raises(ValueError, match=r"damaged tree|features that are not there"):
        load_predictor(save_predictor(predictor))


def test_other_version_of_sklearn_is_refused_before_anything_is_built():
    def age(header):
        header["sklearn"] = "0.24.0"

    with pytest.raises(VersionMismatch, match=rf"0\.24\.0.*{sklearn.__version__}.*fit it again"):
        load_predictor(rewrite(save_predictor(fitted()), "edgekit.json", age))


@pytest.mark.parametrize("data", [b"", b"not a zip", skops.io.dumps(LatencyPredictor())])
def test_damaged_file_is_refused(data):
    with pytest.raises(ValueError, match="cannot be read"):
        load_predictor(data)
