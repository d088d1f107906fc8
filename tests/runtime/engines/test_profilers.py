"""Both engines' own profilers, through the worker process."""

import numpy as np
import pytest

from runtime.engines import EngineProcess, random_inputs
from runtime.engines.etdump import read_etdump
from runtime.errors import DeviceStableError
from tests.runtime.tflite_builder import write_summing_net


@pytest.fixture(scope="module")
def summing(tmp_path_factory):
    return write_summing_net(tmp_path_factory.mktemp("tflite") / "summing.tflite")


@pytest.fixture(scope="module")
def litert(summing):
    with EngineProcess("litert", summing, with_profiler=True) as model:
        yield model


def test_litert_tells_the_ops_inside_and_outside_its_delegates(litert):
    seen = litert.profile(random_inputs(litert.inputs), warmup=2, runs=5)
    assert (len(seen.frames), len(seen.samples_ms)) == (5, 5)
    assert seen.partitions == ((0,), (2,))
    for ops in seen.frames:
        assert [(op.delegate, op.op_index) for op in ops] == [(0, None), (None, 1), (1, None)]
        assert [op.name.split(" (")[0] for op in ops] == ["Fully Connected", "CUMSUM", "Fully Connected"]
        assert [op.source for op in ops] == ["XNNPACK profiler", "LiteRT profiler", "XNNPACK profiler"]


def test_ops_of_a_frame_do_not_overlap_and_fill_it(litert):
    seen = litert.profile(random_inputs(litert.inputs), warmup=2, runs=20)
    for ops, latency_ms in zip(seen.frames, seen.samples_ms, strict=True):
        ends_ns = [op.start_ns + op.duration_ns for op in ops]
        assert all(op.start_ns >= end for op, end in zip(ops[1:], ends_ns, strict=False))
        assert ends_ns[-1] <= latency_ms * 1e6
    sums_ms = [sum(op.duration_ns for op in ops) / 1e6 for ops in seen.frames]
    assert 0.5 < np.median(np.divide(sums_ms, seen.samples_ms)) <= 1.0


def test_a_profiled_model_gives_the_interpreters_outputs(summing, litert):
    with EngineProcess("litert", summing) as plain:
        inputs = random_inputs(plain.inputs)
        expected = plain.run(inputs).outputs
    assert litert.inputs == plain.inputs
    np.testing.assert_array_equal(litert.run(inputs).outputs[0], expected[0])


def test_executorch_tells_the_ops_inside_its_delegate(pte):
    with EngineProcess("executorch", pte, with_profiler=True) as model:
        inputs = random_inputs(model.inputs)
        seen = model.profile(inputs, warmup=3, runs=4)
        again = model.profile(inputs, warmup=0, runs=2)
        expected = np.maximum(inputs[0].numpy().sum(1, keepdims=True) + 0.5, 0)
        np.testing.assert_allclose(model.run(inputs).outputs[0], expected.repeat(4, 1), atol=1e-5)
    assert (len(seen.frames), len(again.frames)) == (4, 2)
    names = [op.name for op in seen.frames[0]]
    assert any(name.startswith(("Convolution", "Fully Connected")) for name in names)
    assert {op.delegate for op in seen.frames[0]} == {0}
    for ops, latency_ms in zip(seen.frames, seen.samples_ms, strict=True):
        assert sum(op.duration_ns for op in ops) <= latency_ms * 1e6


def test_a_model_loaded_without_its_profiler_says_so(tflite):
    with EngineProcess("litert", tflite) as model, pytest.raises(DeviceStableError, match="with_profiler"):
        model.profile(random_inputs(model.inputs), warmup=0, runs=1)


def test_a_damaged_file_is_refused_with_the_profiler_too(tmp_path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"\0\0\0\0TFL3 and nothing else")
    with pytest.raises(DeviceStableError, match=r"^broken.tflite on litert: "):
        EngineProcess("litert", path, with_profiler=True)


@pytest.mark.parametrize("data", [b"", b"\x10\0\0\0\x08\0\0\0ED01", b"\x10\0\0\0\xff\0\0\0ED00"])
def test_what_is_no_etdump_is_refused(data):
    with pytest.raises(ValueError, match="ETDump"):
        read_etdump(data)
