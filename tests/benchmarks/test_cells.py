"""What a cell computes, counted by hand."""

import pytest

from tests.benchmarks._cells import Cell, cell_features


def counts(text):
    X, names = cell_features(
        [text, "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"]
    )
    return {name: int(value) for name, value in zip(names, X[0], strict=True) if value}


def test_everything_that_leads_to_the_output_counts():
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|"
    assert counts(text) == {"nor_conv_3x3": 2, "nor_conv_1x1": 2, "avg_pool_3x3": 1, "the rest": 1}


def test_what_leads_nowhere_is_dropped():
    text = "|none~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|"
    assert counts(text) == {"the rest": 1}


def test_operations_on_zeros_are_run():
    text = "|none~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    assert counts(text) == {"nor_conv_3x3": 1, "nor_conv_1x1": 1, "the rest": 1}


def test_a_lone_convolution_times_zero_is_run():
    text = "|none~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|none~1|none~2|"
    assert counts(text) == {"nor_conv_3x3": 1, "the rest": 1}


def test_without_the_input_only_the_last_cell_is_left():
    text = "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    assert counts(text) == {}
    text = "|none~0|+|none~0|skip_connect~1|+|none~0|avg_pool_3x3~1|none~2|"
    assert counts(text) == {"avg_pool_3x3 in the last cell alone": 1}


@pytest.mark.parametrize("text", ["", "conv", "|a~0|+|b~0|c~1|", "|a~0|+|b~0|c~1|+|d~0|e~1|f~1|"])
def test_other_strings_are_refused(text):
    with pytest.raises(ValueError, match="not a cell"):
        Cell(text)
