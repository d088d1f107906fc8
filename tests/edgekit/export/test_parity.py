"""Differences by hand: what they are, what they are compared with, what they are called."""

from dataclasses import replace

import numpy as np
import pytest

from edgekit.export.parity import check_parity, compare, summarise
from runtime.errors import ParityError

EXPECTED = np.array([[1.0, 2.0], [4.0, 3.0]], np.float32)


def measured(actual, tolerance=1e-4):
    return compare("net", "scores", np.asarray(actual, np.float32), EXPECTED, tolerance=tolerance)


def whole(*outputs):
    return summarise(outputs, n_inputs=2, described="two rows")


def test_equal_outputs_have_no_noise_to_compare_with():
    parity = measured(EXPECTED)
    assert (parity.max_abs, parity.sqnr_db, parity.top1_agreement) == (0.0, None, 1.0)
    assert parity.cosine == pytest.approx(1.0)


def test_figures_of_a_known_difference():
    parity = measured([[1.0, 2.0], [4.0, 3.5]])
    assert parity.max_abs == 0.5
    assert parity.sqnr_db == pytest.approx(10 * np.log10(30 / 0.25))


def test_the_limit_scales_with_the_largest_output():
    assert measured(EXPECTED).tolerance == pytest.approx(4e-4)


def test_small_outputs_do_not_shrink_the_limit():
    small = np.full((1, 2), 1e-3, np.float32)
    assert compare("net", "scores", small, small, tolerance=1e-4).tolerance == pytest.approx(1e-4)


def test_a_changed_ranking_shows():
    assert measured([[2.0, 1.0], [4.0, 3.0]]).top1_agreement == 0.5


def test_the_gate_holds_at_the_limit_and_fails_above_it():
    check_parity("litert-fp32", whole(measured([[1.0, 2.0], [4.0, 3.25]], tolerance=0.0625)))
    with pytest.raises(ParityError, match=r"litert-fp32 differs .* on two rows, allowed is") as caught:
        check_parity("litert-fp32", whole(measured([[1.0, 2.0], [4.0, 3.5]], tolerance=0.0625)))
    assert caught.value.exit_code == 3


def test_the_worst_output_leads_and_is_named():
    parity = whole(measured(EXPECTED + 0.5), replace(measured(EXPECTED + 0.25), name="boxes", tolerance=1e-4))
    assert (parity.max_abs, parity.tolerance) == (0.25, 1e-4)
    assert [output.max_abs for output in parity.outputs] == [0.5, 0.25]
    with pytest.raises(ParityError, match=r"2\.50e-01 in boxes"):
        check_parity("litert-fp32", replace(parity, outputs=parity.outputs[1:] * 2))


def test_nan_and_another_shape_are_refused():
    with pytest.raises(ParityError, match="not finite"):
        measured([[1.0, np.nan], [4.0, 3.0]])
    with pytest.raises(ParityError, match=r"scores of shape \(3,\)"):
        measured(np.zeros((2, 3)))
