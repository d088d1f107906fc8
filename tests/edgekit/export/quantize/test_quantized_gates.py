import numpy as np
import pytest
import torch
from PIL import Image

from edgekit.export import QuantizeOptions, export_bundle
from edgekit.export.preflight import prepare
from edgekit.export.quantize import Validation, load_calibration, load_validation, read_share
from edgekit.export.quantize.run import make_plan
from edgekit.export.quantize.sensitivity import rank_layers
from edgekit.tasks import Classification
from runtime.bundle import TensorSpec
from runtime.errors import AccuracyError, DataError, ParityError
from tests.edgekit.export.quantize import nets

SPEC = TensorSpec("image", "float32", (1, 3, nets.SIDE, nets.SIDE), nets.IMAGE)


def export(model, out, **choices):
    choices = {"calibration": nets.calibration(), **choices}
    return export_bundle(
        nets.origin(model), out, engines=["litert"], precisions=["static_wi8_ai8"],
        quantize=QuantizeOptions(**choices),
    )  # fmt: skip


def uneven(gain):
    torch.manual_seed(3)
    return nets.Uneven(gain).eval()


class Overlap(Classification):
    metric = "miou"


class Unreachable(Validation):
    """Says that the model is always right and every file of it half of the time."""

    def score_of_model(self, model):
        return 1.0

    def score_of_file(self, engine, exported):
        return 0.5


def test_layers_are_kept_float_until_the_accuracy_holds(tmp_path):
    model = uneven(gain=25)
    validation = nets.validation(model)
    lossy = export(model, tmp_path / "lossy.edgekit", validation=validation)
    held = export(model, tmp_path / "held.edgekit", validation=validation, max_drop=0.02)
    before, after = (bundle.manifest.variants[0].quantization for bundle in (lossy, held))
    assert before.accuracy < before.accuracy_fp32 - 0.02
    assert after.accuracy >= after.accuracy_fp32 - 0.02
    assert (after.metric, after.accuracy_fp32, after.n_validation) == ("top1", 1.0, 64)
    assert {"first", "second"} <= set(after.kept_float)  # the one that makes the wide range, and who reads it
    assert "third" not in after.kept_float


def test_the_worst_layer_comes_first_with_the_one_that_feeds_it():
    ready = prepare(nets.origin(uneven(gain=1000)).graphs["forward"])
    plan = make_plan("static_wi8_ai8", ready, QuantizeOptions(calibration=nets.calibration()))
    worst, *rest = rank_layers(ready.lowered, ready.program, plan)
    assert (worst.path, worst.remedy) == ("second", ("second", "first"))
    assert worst.noise > 10 * rest[0].noise


def test_a_drop_that_cannot_be_held_fails_and_leaves_nothing(tmp_path):
    model = nets.build(nets.Static)
    known = nets.validation(model, count=2)
    validation = Unreachable(known.frames, known.truths, "smooth noise", Overlap())
    with pytest.raises(AccuracyError, match=r"50.00% of miou .*even with all layers float") as failed:
        export(model, tmp_path / "net.edgekit", validation=validation, max_drop=0.01)
    assert failed.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_named_modules_stay_float_and_unknown_ones_are_refused(tmp_path):
    model = nets.build(nets.Static)
    bundle = export(model, tmp_path / "net.edgekit", keep_float=("depthwise",))
    assert "depthwise" in bundle.manifest.variants[0].quantization.kept_float
    with pytest.raises(ValueError, match=r"no module 'deepwise'.*stem"):
        export(model, tmp_path / "other.edgekit", keep_float=("deepwise",))


def test_a_file_that_is_mostly_noise_is_refused(tmp_path):
    with pytest.raises(ParityError, match=r"dB.*--keep-float"):
        export(uneven(gain=1000), tmp_path / "net.edgekit")
    assert list(tmp_path.iterdir()) == []


def test_a_largest_drop_needs_labelled_images():
    with pytest.raises(ValueError, match="--validation"):
        QuantizeOptions(max_drop=0.01)


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.01", 0.01), ("0.5%", 0.005), (None, None)])
def test_a_share_is_a_percentage_or_a_fraction(text, share):
    assert read_share(text) == share


def test_a_word_is_no_share():
    with pytest.raises(ValueError, match="is no share; write it as 1%"):
        read_share("little")


def test_empty_or_missing_calibration_sets_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        load_calibration(tmp_path / "empty", SPEC)
    with pytest.raises(DataError, match="no calibration set at"):
        load_calibration(tmp_path / "nowhere", SPEC)
    np.save(tmp_path / "none.npy", np.zeros((0, 3, 16, 16), np.float32))
    with pytest.raises(DataError, match="empty"):
        load_calibration(tmp_path / "none.npy", SPEC)


def test_calibration_arrays_of_another_size_are_refused(tmp_path):
    np.save(tmp_path / "big.npy", np.zeros((2, 3, 32, 32), np.float32))
    with pytest.raises(DataError, match=r"\(2, 3, 32, 32\); needed is \(N, 3, 16, 16\)"):
        load_calibration(tmp_path / "big.npy", SPEC)


def test_calibration_photographs_are_resized_as_inputs_are(tmp_path):
    Image.new("RGB", (50, 40), (255, 0, 0)).save(tmp_path / "red.png")
    (frame,) = load_calibration(tmp_path, SPEC).frames
    assert frame[0].shape == (1, 3, 16, 16)
    assert frame[0][0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]


def test_calibration_with_nan_is_refused(tmp_path):
    wrong = nets.calibration(2)
    wrong.frames[1][0][:] = np.nan
    with pytest.raises(DataError, match="frame 1 has values that are not finite"):
        export(nets.build(nets.Static), tmp_path / "net.edgekit", calibration=wrong)
    assert list(tmp_path.iterdir()) == []


def test_validation_folders_are_called_as_the_classes_are(tmp_path):
    for name in ("Boot", "bag"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(tmp_path / "photos" / name / "a.png")
    found = load_validation(tmp_path / "photos", nets.IMAGE, ["Bag", "Boot"])
    assert found.truths.tolist() == [1, 0]
    with pytest.raises(DataError, match="'bag' is no class of the model; there are Hat, Shoe"):
        load_validation(tmp_path / "photos", nets.IMAGE, ["Hat", "Shoe", "Boot"])
