"""Outputs that mix scales are judged scale by scale, labels by how many are the same."""

import numpy as np
import pytest

from edgekit.export.channels import describe_channels, unlike_groups
from edgekit.export.parity import check_parity, compare, compare_outputs, summarise
from edgekit.export.quantize.gate import check_quantized
from runtime.errors import ParityError

RNG = np.random.default_rng(0)
BOXES, SCORES = RNG.uniform(0, 640, (2, 1, 4, 50)), RNG.uniform(0, 0.5, (2, 1, 3, 50))
DETECTIONS = np.concatenate([BOXES, SCORES], 2).astype(np.float32)


def dead(values, channels, axis):
    wrong = np.moveaxis(values.copy(), axis, 0)
    wrong[channels] = 0
    return np.moveaxis(wrong, 0, axis)


def parity(actual, expected):
    return compare_outputs(
        "net", list(actual[:, None]), list(expected[:, None]), ["found"], described="noise"
    )


@pytest.mark.parametrize("axis", [2, 3])
def test_dead_scores_beside_boxes_are_found_on_either_axis(axis):
    expected = DETECTIONS if axis == 2 else DETECTIONS.swapaxes(2, 3)
    compared = parity(dead(expected, [4, 5, 6], axis), expected)
    assert compared.sqnr_db > 60  # as a whole
    where = f"channels 4-6 of axis {axis - 1}"
    with pytest.raises(ParityError, match=rf"{where} of found with 0.0 dB.*outputs of their own"):
        check_quantized("net", compared)


def test_scores_near_the_limit_of_boxes_are_found_in_float():
    small = np.concatenate([BOXES, SCORES / 10], 2).astype(np.float32)
    compared = compare("net", "found", dead(small, [5], 2), small, tolerance=1e-4)
    assert compared.max_abs < compared.tolerance  # as a whole
    assert [part.max_abs > part.tolerance for part in compared.channels] == [True, False]
    with pytest.raises(ParityError, match=r"differs .* in channels 4-6 of axis 1 of found on noise"):
        check_parity("net", summarise([compared], n_inputs=2, described="noise"))


def test_right_detections_pass():
    exact = parity(DETECTIONS * np.float32(1 + 1e-6), DETECTIONS)
    check_parity("net", exact)
    noisy = np.concatenate(
        [BOXES + RNG.normal(0, 3, BOXES.shape), SCORES + RNG.normal(0, 0.02, SCORES.shape)], 2
    )
    check_quantized("net", parity(noisy.astype(np.float32), DETECTIONS))


def test_alike_scales_rows_and_sparse_maps_are_judged_as_a_whole():
    logits = RNG.normal(0, 5, (8, 1, 10)).astype(np.float32)
    logits[..., 3] = 1e-4  # one score alone
    assert unlike_groups(logits)[1] == []
    assert unlike_groups(RNG.normal(0, 1, (1, 1, 8, 6, 6)))[1] == []
    sparse = np.maximum(RNG.normal(0, 1, (1, 1, 8, 6, 6)), 0)
    sparse[:, :, 2] = 0
    sparse[:, :, 2, 0, 0] = 1e-3
    assert unlike_groups(sparse)[1] == []


def test_three_scales_are_three_groups():
    scales = np.array([500, 1, 300, 0.01, 2])[:, None]
    axis, groups = unlike_groups(RNG.uniform(0.5, 1, (1, 1, 5, 20)) * scales)
    assert (axis, groups) == (2, [[3], [1, 4], [0, 2]])
    assert describe_channels([0, 1, 2, 5], 1) == "channels 0-2, 5 of axis 1"


def test_labels_are_judged_by_how_many_are_the_same():
    labels = RNG.integers(0, 5, (1, 1, 32, 32))
    same = parity(labels, labels)
    assert same.equal_share == 1.0
    check_parity("net", same)
    wrong = labels.copy()
    wrong[..., :2, :] += 1
    with pytest.raises(ParityError, match=r"93.8% of the values of found"):
        check_parity("net", parity(wrong, labels))
    flags = labels > 2
    assert parity(flags, flags).equal_share == 1.0


def test_the_best_class_is_compared_in_rows_and_maps_only():
    def shares(shape):
        values = RNG.normal(0, 1, (2, *shape)).astype(np.float32)
        found = compare("net", "found", values, values, tolerance=1e-4)
        return found.top1_agreement, found.pixel_agreement

    assert shares((1, 10)) == (1.0, None)
    assert shares((1, 5, 8, 8)) == (None, 1.0)
    for shape in ((1, 1), (1, 7, 50), (1, 1, 8, 8), (1, 2, 3, 4, 5)):
        assert shares(shape) == (None, None)


def test_equal_infinities_differ_by_nothing():
    masked = np.array([[[1.0, -np.inf, 2.0]]], np.float32)
    assert compare("net", "found", masked, masked, tolerance=1e-4).max_abs == 0
    with pytest.raises(ParityError, match="not finite"):
        compare("net", "found", masked, np.zeros_like(masked), tolerance=1e-4)
