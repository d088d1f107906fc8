import hashlib

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import TensorSpec
from runtime.engines.model_file import _precision, open_bundle_or_model, with_delegation
from runtime.errors import BundleError, DeviceStableError
from tests.runtime.tflite_builder import write_summing_net, write_tflite


def test_a_tflite_file_is_a_bundle_of_one_variant(tflite):
    bundle = open_bundle_or_model(tflite)
    [variant] = bundle.manifest.variants
    assert (bundle.manifest.name, variant.name, variant.engine) == ("double.tflite", "litert-fp32", "litert")
    assert bundle.file(variant.path) == tflite
    assert bundle.manifest.graphs["forward"].inputs == (TensorSpec("x", "float32", (1, 8, 8, 4)),)
    assert bundle.manifest.files[0].sha256 == hashlib.sha256(tflite.read_bytes()).hexdigest()
    assert bundle.workload(variant).macs == 8 * 8 * 4 * 4
    assert sorted(path.name for path in tflite.parent.iterdir()) == ["double.tflite"]  # nothing was written


def test_a_pte_file_does_not_tell_its_cost(pte):
    bundle = open_bundle_or_model(pte)
    [variant] = bundle.manifest.variants
    assert (variant.name, variant.engine) == ("executorch-fp32", "executorch")
    assert bundle.manifest.graphs["forward"].outputs[0].shape == (1, 4, 8, 8)
    assert bundle.workload(variant) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.tflite", "there is no model file at"),
        ("none.onnx", "give a .edgekit folder, a .tflite or a .pte file"),
    ],
)
def test_what_cannot_be_run(tmp_path, name, message):
    with pytest.raises(BundleError, match=message):
        open_bundle_or_model(tmp_path / name)


def test_precision_is_told_from_what_the_file_holds(tmp_path):
    from runtime.bundle.workload import Workload
    from runtime.engines.tflite_content import TfliteGraph

    def graph(dtype="float32", ops=(), size_bytes=400):
        spec = TensorSpec("x", dtype, (1,))
        return TfliteGraph((spec,), (spec,), Workload(()), dict.fromkeys(ops, 1), 100, size_bytes)

    assert _precision(graph()) == "fp32"
    assert _precision(graph(size_bytes=220)) == "fp32"  # float16 weights
    assert _precision(graph(size_bytes=120)) == "dynamic_wi8_afp32"
    assert _precision(graph(ops=["DENSIFY"], size_bytes=120)) == "fp32"
    assert _precision(graph("int8")) == "static_wi8_ai8"
    assert _precision(graph(ops=["QUANTIZE"])) == "static_wi8_ai8"


def test_outputs_through_the_wrapped_file(tflite):
    from runtime.device.setting import Setting
    from runtime.targets import VirtualTarget

    bundle = open_bundle_or_model(str(tflite))
    with VirtualTarget("kirin960").session(
        bundle, bundle.manifest.variant(), Setting("big", None)
    ) as session:
        image = np.full((1, 8, 8, 4), 3, np.float32)
        assert session.run([image]).outputs[0].max() == 6


def test_a_bare_tflite_tells_what_its_delegate_leaves_when_asked(tmp_path):
    path = write_summing_net(tmp_path / "summing.tflite")
    assert open_bundle_or_model(path).manifest.variant().delegation is None
    delegation = with_delegation(open_bundle_or_model(path)).manifest.variant().delegation
    assert (delegation.delegated, delegation.total) == (2, 3)
    assert [(op.op, op.latency_share) for op in delegation.fallback] == [("CUMSUM", None)]


def test_a_file_with_an_op_of_another_application_can_still_be_read(tmp_path):
    path = write_tflite(
        tmp_path / "custom.tflite",
        tensors=[("x", (4,), None), ("y", (4,), None)],
        operators=[("TransformLandmarks", [0], [1], None)],
        inputs=[0],
        outputs=[1],
    )
    opened = open_bundle_or_model(path)
    assert [op.kind for op in opened.workload(opened.manifest.variant()).ops] == ["other"]
    with pytest.raises(DeviceStableError, match="only the application the file was made for does"):
        with_delegation(opened)


def test_fp16_weights_are_told(tmp_path):
    path = write_tflite(
        tmp_path / "fp16.tflite",
        tensors=[("half", (4,), np.zeros(4, np.float16)), ("full", (4,), None),
                 ("x", (4,), None), ("y", (4,), None)],
        operators=[("DEQUANTIZE", [0], [1], None), ("MUL", [2, 1], [3], None)],
        inputs=[2], outputs=[3],
    )  # fmt: skip
    remark = "fp16 weights, widened to fp32 when the file is loaded"
    assert open_bundle_or_model(path).manifest.source["weights"] == remark
    result = CliRunner().invoke(cli, ["inspect", str(path)])
    assert result.exit_code == 0
    assert f"fp16.tflite: {remark}" in result.stderr
