"""Scores to labels."""

import numpy as np
import pytest

from runtime.errors import DataError
from runtime.processing.classify import Guess, is_distribution, softmax, top_k


def test_softmax_of_log_odds_are_the_odds_and_large_scores_do_not_overflow():
    np.testing.assert_allclose(softmax(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]])
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0])), [0.5, 0.5])


def test_top_k_names_the_likeliest_first():
    logits = np.log(np.array([[1.0, 5.0, 2.0]], dtype=np.float32))
    first, second = top_k(logits, ["cat", "dog", "owl"], k=2)
    assert (first.label, second.label) == ("dog", "owl")
    assert first.probability == pytest.approx(0.625)


def test_probabilities_are_left_as_they_are():
    assert is_distribution(np.array([0.2, 0.8]))
    assert not is_distribution(np.array([0.2, 0.9]))
    assert not is_distribution(np.array([-0.2, 1.2]))
    assert top_k(np.array([0.25, 0.75]), ["a", "b"]) == (Guess("b", 0.75), Guess("a", 0.25))


def test_classes_without_labels_are_numbered():
    assert [guess.label for guess in top_k(np.array([0.0, 3.0]), None)] == ["class 1", "class 0"]


def test_more_labels_than_classes_are_refused():
    with pytest.raises(DataError, match="2 class scores but 3 labels"):
        top_k(np.array([0.0, 1.0]), ["a", "b", "c"])


def test_scores_of_several_inputs_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        top_k(np.zeros((2, 3)), None)
