"""Tensors as they travel: packed, unpacked, narrowed, and made up."""

import numpy as np
import pytest

from runtime.bundle import TensorSpec
from runtime.engines import Array, random_inputs

DTYPES = [
    "bool",
    *(f"float{n}" for n in (16, 32, 64)),
    *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_packed_comes_out_again(dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for given in (values, values[:, ::-1], values.astype(values.dtype.newbyteorder(">")), values[0, 0, 0:1]):
        packed = Array.of(given)
        assert packed.is_whole
        assert (packed.dtype, packed.shape) == (dtype, given.shape)
        np.testing.assert_array_equal(packed.numpy(), given)
    scalar = Array.of(values[0, 0, 1, ...])
    assert (scalar.shape, scalar.numpy()) == ((), values[0, 0, 1])
    assert not Array(dtype, (2, 3), packed.data).is_whole


def test_64_bit_integers_become_32_bit_ones_where_they_fit():
    small, large = np.array([[1, -5]]), np.array([1 << 31])
    np.testing.assert_array_equal(Array.of(small).narrowed().numpy(), small.astype(np.int32))
    assert Array.of(large).narrowed() == Array.of(large)


@pytest.mark.parametrize("dtype", DTYPES)
def test_made_up_inputs_are_the_same_each_time(dtype):
    spec = TensorSpec("x", dtype, (3, 40, 50))
    (values,) = random_inputs([spec], seed=1)
    assert (values.is_whole, values.dtype, values.shape) == (True, dtype, (3, 40, 50))
    assert random_inputs([spec], seed=1) == [values]
    numbers = values.numpy().astype(np.float64)
    if dtype.startswith("float"):
        assert abs(numbers.mean()) < 0.05
        assert numbers.std() == pytest.approx(1, abs=0.05)
        assert random_inputs([spec], seed=2) != [values]
    elif dtype in ("int8", "uint8"):
        assert numbers.max() - numbers.min() == 255
    else:
        assert not numbers.any()


def test_text_is_not_made_up():
    with pytest.raises(
        ValueError, match="input 'words' is object, which cannot be made up; choose one of bool"
    ):
        random_inputs([TensorSpec("words", "object", (2,))])
