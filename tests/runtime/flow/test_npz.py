"""Arrays in files without NumPy: NumPy reads what is written, and what NumPy writes is read."""

import io
import os

import numpy as np
import pytest

from runtime.engines import Array
from runtime.errors import DataError
from runtime.flow.npz import read_arrays, write_npz

ARRAYS = {
    "graph.scores": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "bytes": np.array([-1, 5], np.int8),
    "flags": np.array([True, False]),
    "number": np.array(7, np.int64),
    "none": np.zeros((0, 3), np.float64),
}


def test_numpy_reads_what_is_written(tmp_path):
    write_npz(tmp_path / "out.npz", {name: Array.of(array) for name, array in ARRAYS.items()})
    with np.load(tmp_path / "out.npz", allow_pickle=False) as loaded:
        assert set(loaded.files) == set(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(loaded[name], array)
            assert loaded[name].dtype == array.dtype


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path, save):
    save(tmp_path / "in.npz", **ARRAYS)
    read = read_arrays(tmp_path / "in.npz")
    assert {name: array.numpy().tolist() for name, array in read.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }


def npy(array, **how):
    data = io.BytesIO()
    np.save(data, array, **how)
    return data.getvalue()


BAD = {
    "empty": b"",
    "text": b"hello",
    "cut off": npy(np.zeros(9))[:-8],
    "objects": npy(np.array([None, 1], dtype=object), allow_pickle=True),
    "other byte order": npy(np.zeros(3, ">f4")),
    "columns first": npy(np.asfortranarray(np.zeros((2, 3)))),
    "records": npy(np.zeros(2, [("a", "f4")])),
    "code for a header": b"\x93NUMPY\x01\x00\x0c\x00__import__()",
    "a list for a header": b"\x93NUMPY\x01\x00\x02\x00[]",
    "a header without end": b"\x93NUMPY\x02\x00\x00\x00\x10\x00" + b"(" * (1 << 20),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_array_of_numbers_is_refused(tmp_path, case):
    for name in ("bad.npy", "bad.npz"):
        (tmp_path / name).write_bytes(BAD[case])
        with pytest.raises(DataError, match=r"holds no arrays \("):
            read_arrays(tmp_path / name)
    with pytest.raises(DataError, match="there is no file"):
        read_arrays(tmp_path / "none.npy")


def test_a_pipe_is_not_waited_for(tmp_path):
    for name in ("pipe.npy", "pipe.npz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="no regular file"):
            read_arrays(tmp_path / name)


def test_names_that_no_archive_holds_are_refused(tmp_path):
    with pytest.raises(DataError, match="name has 70000 letters"):
        write_npz(tmp_path / "out.npz", {"x" * 70000: Array.of(ARRAYS["bytes"])})
