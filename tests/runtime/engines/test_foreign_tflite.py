"""``.tflite`` files that other tools made: open shapes, control flow, variables, several signatures."""

import numpy as np
import pytest

from runtime.engines import EngineProcess
from runtime.engines.model_file import open_bundle_or_model, with_delegation
from runtime.errors import BundleError, DeviceStableError
from runtime.measure.profiling.profile import profile
from tests.runtime.foreign_tflite import (
    MAP,
    write_branch,
    write_computed_size,
    write_loop,
    write_open,
    write_signatures,
    write_state,
)

ONES = np.ones(MAP, np.float32)


def outputs(bundle, variant=None, frames=(ONES,)):
    """Return the first output of each frame, as the engine computes it."""
    chosen = bundle.manifest.variant(variant)
    with EngineProcess(chosen.engine, bundle.file(chosen.path)) as model:
        return [model.run([frame]).outputs[0] for frame in frames]


def ops(seen):
    return [(op.op.partition(" (")[0], op.module_path) for op in seen.ops]


def test_a_file_with_open_axes_runs_at_the_shape_that_is_given(tmp_path):
    path = write_open(tmp_path / "open.tflite")
    for name in (None, "input", "serving_default_input:0"):
        bundle = open_bundle_or_model(path, [(name, (1, 6, 8, 4))])
    graph = bundle.manifest.graphs["forward"]
    assert (graph.inputs[0].shape, graph.outputs[0].shape) == ((1, 6, 8, 4), (1, 6, 8, 4))
    assert bundle.workload(bundle.manifest.variants[0]).macs == 6 * 8 * 4 * 4
    (delegation,) = (variant.delegation for variant in with_delegation(bundle).manifest.variants)
    assert (delegation.delegated, delegation.total) == (1, 1)
    frame = np.ones((1, 6, 8, 4), np.float32)
    assert np.array_equal(outputs(bundle, frames=[frame])[0], 2 * frame)
    assert ops(profile(bundle, runs=3))[-1][1] == "Identity"


def test_without_a_shape_it_says_which_one_is_missing(tmp_path):
    bundle = open_bundle_or_model(write_open(tmp_path / "open.tflite"))
    assert bundle.open_axes == {"serving_default_input:0": (1, 2), "Identity": (1, 2)}
    (variant,) = bundle.manifest.variants
    assert bundle.workload(variant) is None  # of a map of 1x1 it would be another model's
    with pytest.raises(BundleError, match=r"of 'input' \(1x\?x\?x4\) open; .* --input-shape input=1xNxNx4"):
        bundle.file(variant.path)


def test_an_open_batch_is_one_frame(tmp_path):
    bundle = open_bundle_or_model(write_open(tmp_path / "batch.tflite", axes=(0,)))
    assert np.array_equal(outputs(bundle)[0], 2 * ONES)


def test_records_of_two_shapes_are_not_of_one_model(tmp_path):
    path = write_open(tmp_path / "open.tflite")
    sha256s = {
        open_bundle_or_model(path, [(None, shape)]).manifest.files[0].sha256
        for shape in ((1, 6, 8, 4), (1, 6, 8, 4), (1, 8, 8, 4))
    }
    assert len(sha256s) == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([("inputs", (1, 6, 8, 4))], "a shape for the input 'inputs'; its inputs are: 'serving_default"),
        ([(None, (1, 6, 8, 4))] * 2, "one shape too many"),
        ([(None, (1, 6, 8, 5))], r"got the shape 1x6x8x5; the file wants 1x\?x\?x4, where only \? may be"),
        ([(None, (6, 8, 4))], "got the shape 6x8x4"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(tmp_path, given, says):
    path = write_open(tmp_path / "open.tflite")
    with pytest.raises(ValueError, match=says):
        open_bundle_or_model(path, given)


def test_a_shape_that_the_model_cannot_take_is_the_shapes_fault(tmp_path):
    path = write_open(tmp_path / "open.tflite", axes=(3,))
    with pytest.raises(
        DeviceStableError, match=r"cannot run it at serving_default_input:0=1x16x16x5"
    ) as caught:
        open_bundle_or_model(path, [(None, (1, 16, 16, 5))])
    assert "damaged" not in str(caught.value)


def test_ops_that_control_flow_runs_are_named_and_their_time_counts_once(tmp_path):
    bundle = open_bundle_or_model(write_branch(tmp_path / "if.tflite"))
    above, below = outputs(bundle, frames=[ONES, -ONES])
    assert (above[0, 0, 0, 0], below[0, 0, 0, 0]) == (6, -8)
    seen = profile(bundle, runs=5, seed=3)
    body = {where for _, where in ops(seen) if where and where.startswith("in ")}
    assert body in ({"in grow"}, {"in shrink"})
    assert [op for op, where in ops(seen) if op == "CUMSUM"] == ["CUMSUM"]
    assert any("'in GRAPH'" in remark for remark in seen.remarks)


def test_a_loops_turns_are_one_op_each(tmp_path):
    bundle = open_bundle_or_model(write_loop(tmp_path / "while.tflite"))
    assert outputs(bundle)[0][0, 0, 0, 0] == 8
    seen = profile(bundle, runs=5)
    assert [op for op, where in ops(seen) if where == "in test"] == ["LESS"]
    assert len([op for op, where in ops(seen) if where == "in turn"]) == 2


def test_control_flow_has_no_table_of_work(tmp_path):
    bundle = open_bundle_or_model(write_branch(tmp_path / "if.tflite"))
    assert bundle.workload(bundle.manifest.variants[0]) is None
    assert "control flow runs grow, shrink" in bundle.remarks[0]


def test_a_variable_keeps_its_value_from_frame_to_frame(tmp_path):
    bundle = open_bundle_or_model(write_state(tmp_path / "state.tflite"))
    assert [frame[0, 0, 0, 0] for frame in outputs(bundle, frames=[ONES, ONES])] == [1, 2]
    assert ("CALL_ONCE", None) in ops(profile(bundle, runs=3))


def test_a_file_that_computes_the_size_of_its_output_is_profiled(tmp_path):
    bundle = open_bundle_or_model(write_computed_size(tmp_path / "rows.tflite"))
    assert outputs(bundle)[0].shape == (16, 64)
    seen = profile(bundle, runs=3)
    assert {"h", "y"} <= {op.module_path for op in seen.ops}
    assert any("constants under the profiler" in remark for remark in seen.remarks)


def test_each_signature_is_a_variant(tmp_path):
    bundle = open_bundle_or_model(write_signatures(tmp_path / "two.tflite"))
    assert [variant.name for variant in bundle.manifest.variants] == ["litert-fp32", "decode-litert-fp32"]
    assert bundle.manifest.source["signatures"] == "encode(x), decode(x)"
    for name, factor in (("litert-fp32", 2), ("decode-litert-fp32", 3)):
        assert np.array_equal(outputs(bundle, name)[0], factor * ONES)
    assert profile(bundle, "decode-litert-fp32", runs=3).ops[-1].module_path == "decode_out"
