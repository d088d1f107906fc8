import numpy as np
import pytest
import torch
from PIL import Image

from edgekit.export import QuantizeOptions, export_bundle
from runtime.bundle import PRECISIONS
from runtime.engines import EngineProcess
from runtime.govern.run.run import run_bundle
from runtime.processing.images import load_image
from runtime.targets import open_target
from tests.edgekit.export.quantize import nets

ENGINES = ["executorch", "litert"]
QUANTISED = ["dynamic_wi8_afp32", "static_wi8_ai8"]


def test_one_call_puts_every_precision_of_both_engines_into_a_bundle(small_net):
    names = [variant.name for variant in small_net.bundle.manifest.variants]
    assert names == [f"{engine}-{precision}" for engine in ENGINES for precision in PRECISIONS]


@pytest.mark.parametrize("precision", QUANTISED)
@pytest.mark.parametrize("engine", ENGINES)
def test_quantised_files_stay_in_one_delegate_and_near_eager(small_net, engine, precision):
    variant = small_net.bundle.manifest.variant(f"{engine}-{precision}")
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())
    assert variant.parity.sqnr_db > 20
    assert variant.parity.max_abs > 0  # or nothing was rounded


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "kind",
    [
        nets.Particular,
        *(  # one by one, to see which of them it is
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in (nets.Static, nets.Padded, nets.ZeroBias, nets.HardSwish, nets.PaddedPool)
        ),
    ],
)
def test_what_xnnpack_is_particular_about_is_quantised_in_one_delegate(tmp_path, kind, engine):
    choices = QuantizeOptions(calibration=nets.calibration())
    origin = nets.origin(nets.build(kind))
    path = tmp_path / "net.edgekit"
    bundle = export_bundle(origin, path, engines=[engine], precisions=QUANTISED, quantize=choices)
    for variant in bundle.manifest.variants:
        assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ()), variant.name
        assert variant.parity.sqnr_db > 20, variant.name


@pytest.mark.parametrize("engine", ENGINES)
def test_float_image_goes_in_and_float_scores_come_out(small_net, engine):
    variant = small_net.bundle.manifest.variant(f"{engine}-static_wi8_ai8")
    with EngineProcess(engine, small_net.bundle.file(variant.path)) as model:
        assert [spec.dtype for spec in (*model.inputs, *model.outputs)] == ["float32", "float32"]
        scores = model.run([nets.images(1)]).outputs[0]
    assert len(np.unique(scores)) == nets.CLASSES  # scores of their own, not steps of a common scale


def test_manifest_tells_what_was_calibrated_and_what_stays_float(small_net):
    manifest = small_net.bundle.manifest
    record = manifest.variant("litert-static_wi8_ai8").quantization
    assert (record.calibration, record.n_calibration) == ("smooth noise", 16)
    assert (record.heads, record.kept_float) == (("linear",), ("expand.act", "expand.conv", "pool"))
    assert manifest.variant("litert-fp32").quantization is None


@pytest.mark.parametrize("engine", ENGINES)
def test_workload_counts_int8_as_one_byte(small_net, engine):
    bundle = small_net.bundle
    rows = {
        precision: next(
            op
            for op in bundle.workload(bundle.manifest.variant(f"{engine}-{precision}")).ops
            if op.name.startswith("depthwise")
        )
        for precision in ("fp32", "static_wi8_ai8")
    }
    assert rows["static_wi8_ai8"].macs == rows["fp32"].macs
    assert rows["static_wi8_ai8"].bytes_read < 0.3 * rows["fp32"].bytes_read
    assert rows["static_wi8_ai8"].bytes_written == rows["fp32"].bytes_written / 4


@pytest.mark.parametrize("engine", ENGINES)
def test_what_dynamic_blocks_compute_at_run_time_stays_float(small_net, engine):
    variant = small_net.bundle.manifest.variant(f"{engine}-static_wi8_ai8")
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
