import numpy as np
import pytest
import torch
from PIL import Image

from edgekit.export import QuantizeOptions, export_bundle
from runtime.bundle import Bundle
from runtime.engines import EngineProcess
from runtime.govern.run.run import run_bundle
from runtime.processing.images import load_image
from runtime.targets import open_target
from tests.edgekit.export.quantize import nets

ENGINES = ["executorch", "litert"]


@pytest.fixture(scope="module")
def static_net(tmp_path_factory):
    model = nets.build(nets.Static)
    precisions = ["fp32", "static_wi8_ai8", "dynamic_wi8_afp32"]
    choices = QuantizeOptions(calibration=nets.calibration())
    path = tmp_path_factory.mktemp("static") / "static.edgekit"
    return export_bundle(nets.origin(model), path, precisions=precisions, quantize=choices)


@pytest.fixture(scope="module")
def dynamic_net(tmp_path_factory):
    model = nets.build(nets.Dynamic)
    choices = QuantizeOptions(calibration=nets.calibration())
    path = tmp_path_factory.mktemp("dynamic") / "dynamic.edgekit"
    return export_bundle(nets.origin(model), path, precisions=["static_wi8_ai8"], quantize=choices)


def test_one_call_puts_every_precision_of_both_engines_into_a_bundle(static_net):
    names = [variant.name for variant in Bundle.open(static_net.path).manifest.variants]
    assert names == [
        f"{engine}-{precision}"
        for engine in ENGINES
        for precision in ("fp32", "static_wi8_ai8", "dynamic_wi8_afp32")
    ]


@pytest.mark.parametrize("precision", ["static_wi8_ai8", "dynamic_wi8_afp32"])
@pytest.mark.parametrize("engine", ENGINES)
def test_quantised_files_stay_in_one_delegate_and_near_eager(static_net, engine, precision):
    variant = static_net.manifest.variant(f"{engine}-{precision}")
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())
    assert variant.parity.sqnr_db > 20
    assert variant.parity.max_abs > 0  # or nothing was rounded


@pytest.mark.parametrize("precision", ["static_wi8_ai8", "dynamic_wi8_afp32"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [nets.ZeroBias, nets.HardSwish, nets.PaddedPool])
def test_what_xnnpack_is_particular_about_is_quantised_in_one_delegate(tmp_path, kind, engine, precision):
    choices = QuantizeOptions(calibration=nets.calibration())
    origin = nets.origin(nets.build(kind))
    path = tmp_path / "net.edgekit"
    bundle = export_bundle(origin, path, engines=[engine], precisions=[precision], quantize=choices)
    (variant,) = bundle.manifest.variants
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())
    assert variant.parity.sqnr_db > 20


@pytest.mark.parametrize("engine", ENGINES)
def test_float_image_goes_in_and_float_scores_come_out(static_net, engine):
    variant = static_net.manifest.variant(f"{engine}-static_wi8_ai8")
    with EngineProcess(engine, static_net.file(variant.path)) as model:
        assert [spec.dtype for spec in (*model.inputs, *model.outputs)] == ["float32", "float32"]
        scores = model.run([nets.images(1)]).outputs[0]
    assert len(np.unique(scores)) == nets.CLASSES  # scores of their own, not steps of a common scale


def test_manifest_tells_what_was_calibrated_and_what_stays_float(static_net):
    record = static_net.manifest.variant("litert-static_wi8_ai8").quantization
    assert (record.calibration, record.n_calibration) == ("smooth noise", 16)
    assert (record.heads, record.kept_float) == (("linear",), ("pool",))
    assert static_net.manifest.variant("litert-fp32").quantization is None


@pytest.mark.parametrize("engine", ENGINES)
def test_workload_counts_int8_as_one_byte(static_net, engine):
    rows = {
        precision: next(
            op
            for op in static_net.workload(static_net.manifest.variant(f"{engine}-{precision}")).ops
            if op.name.startswith("expand")
        )
        for precision in ("fp32", "static_wi8_ai8")
    }
    assert rows["static_wi8_ai8"].macs == rows["fp32"].macs
    assert rows["static_wi8_ai8"].bytes_read < 0.3 * rows["fp32"].bytes_read
    assert rows["static_wi8_ai8"].bytes_written == rows["fp32"].bytes_written / 4


@pytest.mark.parametrize("engine", ENGINES)
def test_what_dynamic_blocks_compute_at_run_time_stays_float(dynamic_net, engine):
    variant = dynamic_net.manifest.variant(f"{engine}-static_wi8_ai8")
    assert {"expand.conv", "expand.act"} <= set(variant.quantization.kept_float)
    assert variant.delegation.fallback == ()
    assert variant.parity.sqnr_db > 20
    assert variant.parity.max_abs > 0


@pytest.fixture(scope="module")
def int8_net(tmp_path_factory):
    model = nets.build(nets.Static)
    choices = QuantizeOptions(calibration=nets.calibration(), int8_io=True)
    path = tmp_path_factory.mktemp("int8") / "int8.edgekit"
    return export_bundle(nets.origin(model), path, precisions=["static_wi8_ai8"], quantize=choices)


@pytest.mark.parametrize("engine", ENGINES)
def test_files_take_and_give_int8_on_request_and_the_bundle_says_what_it_means(int8_net, engine):
    variant = int8_net.manifest.variant(f"{engine}-static_wi8_ai8")
    with EngineProcess(engine, int8_net.file(variant.path)) as model:
        assert [spec.dtype for spec in (*model.inputs, *model.outputs)] == ["int8", "int8"]
    (given,), (made,) = variant.quantization.inputs, variant.quantization.outputs
    assert 0 < given.step < 0.1
    assert 0 < made.step < 0.1
    # With float images, converted as the bundle says; scores beyond the calibrated range are cut off.
    assert variant.parity.sqnr_db > 14
    assert variant.parity.top1_agreement == 1.0
    assert variant.delegation.fallback == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_run_takes_a_photograph_for_a_file_that_takes_int8(int8_net, engine, tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray((np.random.default_rng(0).random((16, 16, 3)) * 255).astype(np.uint8)).save(photo)
    eager = nets.build(nets.Static)(torch.from_numpy(load_image(photo, nets.IMAGE)))
    result = run_bundle(
        int8_net, open_target("local"), inputs=[photo], variant=f"{engine}-static_wi8_ai8", frames=1
    )
    best = result.predictions[0].guesses[0]
    assert best.label == f"class {int(eager.argmax())}"


def test_a_convolution_after_a_padding_layer_runs_on_executorch_in_every_precision(tmp_path):
    precisions = ["static_wi8_ai8", "dynamic_wi8_afp32"]
    choices = QuantizeOptions(calibration=nets.calibration())
    origin = nets.origin(nets.build(nets.Padded))
    path = tmp_path / "padded.edgekit"
    bundle = export_bundle(origin, path, engines=["executorch"], precisions=precisions, quantize=choices)
    assert all(variant.parity.sqnr_db > 20 for variant in bundle.manifest.variants)
