"""One weight is changed in what was exported: the comparison by layers names that very layer."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export import Origin, export_bundle
from edgekit.export.backend import EXPORT_BACKENDS
from edgekit.export.layers import LayerParity, compare_layers, first_wrong
from edgekit.export.lower import lower
from edgekit.export.recheck import recheck_bundle
from edgekit.export.taps import TappedModel
from edgekit.nn import DynamicReLU
from edgekit.tasks import SourceGraph
from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant


class Block(nn.Module):
    def __init__(self, channels, act):
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.act = act

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class Net(nn.Module):
    """A block whose activation works in place, a dynamic one, a residual, one activation used twice."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Block(3, nn.ReLU(inplace=True)), Block(8, DynamicReLU(8, "b"))
        self.relu, self.mix = nn.ReLU(), nn.Conv2d(8, 8, 1)
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4)

    def forward(self, x):
        x = self.second(self.first(x))
        return self.head(self.pool(self.relu(self.relu(self.mix(x)) + x)).flatten(1))


@pytest.fixture(scope="module")
def source():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    frames = tuple((rng.standard_normal((1, 3, 8, 8)).astype(np.float32),) for _ in range(2))
    model = Net().eval()
    for parameter in model.second.act.parameters():
        nn.init.normal_(parameter, std=0.3)
    return SourceGraph(model, (TensorSpec("x", "float32", (1, 3, 8, 8)),), frames, "noise")


@pytest.fixture(scope="module")
def bundle(source, tmp_path_factory):
    return export_bundle(origin(source), tmp_path_factory.mktemp("layers") / "net.edgekit")


def origin(source):
    return Origin("net", {"forward": source}, (), {})


def corrupted(model, path):
    """Return a copy with one weight of the module at ``path`` changed."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        changed.get_submodule(path).weight.view(-1)[5] += 2
    return changed


def corrupt_bytes(data, weight):
    """Change one value of ``weight``, shape (N, C, H, W) or (N, C), where it stands in a .tflite file."""
    laid_out = weight.permute(0, 2, 3, 1) if weight.dim() == 4 else weight
    pattern = laid_out.detach().contiguous().numpy().tobytes()
    assert data.count(pattern) == 1
    at = data.index(pattern) + 4 * 5
    return data[:at] + np.float32(3).tobytes() + data[at + 4 :]


@pytest.fixture(scope="module")
def litert_file(source):
    return EXPORT_BACKENDS.get("litert")(lower(source.model), source.example()).data


@pytest.mark.slow
def test_a_right_bundle_has_no_wrong_layer(bundle, source):
    executorch, litert = recheck_bundle(bundle, origin(source), by_layer=True)
    for result in (executorch, litert):
        assert (result.problem, result.layers.first_wrong, result.layers.remark) == (None, None, None)
        assert min(layer.sqnr_db for layer in result.layers.layers) > 90
    seen = [layer.module_path for layer in executorch.layers.layers]
    assert seen[:3] == ["first.conv", "first.norm", "first.act"]
    assert {"relu", "relu#2", "second.act.head", "second.act"} < set(seen)
    assert seen[-1] == "head"
    fused = {layer.module_path: layer.seen_at for layer in litert.layers.layers}
    assert fused["first.conv"] == "first.act"
    assert {"second.conv", "second.act", "relu#2", "pool", "head"} < set(fused)


def test_executorch_names_the_layer_that_changes_in_the_export(source, tmp_path):
    def export(model, example):
        return EXPORT_BACKENDS.get("executorch")(corrupted(model, "second.conv"), example)

    lowered, path = lower(source.model), tmp_path / "net.pte"
    path.write_bytes(export(lowered, source.example()).data)
    report = compare_layers("executorch-fp32", "executorch", path, lowered, source, export=export)
    assert report.first_wrong == "second.conv"
    assert [layer.sqnr_db > 90 for layer in report.layers[:4]] == [True, True, True, False]


@pytest.mark.parametrize("path", ["second.act.fc1", "mix", "head"])
def test_litert_names_the_layer_whose_bytes_were_changed(litert_file, source, path, tmp_path):
    lowered, changed = lower(source.model), tmp_path / "changed.tflite"
    changed.write_bytes(corrupt_bytes(litert_file, lowered.get_submodule(path).weight))
    report = compare_layers("litert-fp32", "litert", changed, lowered, source, export=None)
    assert report.first_wrong == path
    paths = [layer.module_path for layer in report.layers]
    assert all(layer.sqnr_db > 90 for layer in report.layers[: paths.index(path)])


@pytest.mark.slow
def test_a_pte_file_of_other_weights_is_told_from_a_wrong_export(bundle, source):
    other = SourceGraph(corrupted(source.model, "mix"), source.inputs, source.frames, source.described)
    (result,) = recheck_bundle(bundle, origin(other), variants=["executorch-fp32"], by_layer=True)
    assert "differs from the eager model" in result.problem
    assert result.layers.first_wrong is None
    assert "made from other weights" in result.layers.remark


def test_a_bundle_of_another_model_is_refused(source, tmp_path):
    graph = Graph(source.inputs, (TensorSpec("y", "float32", (1, 4)),))
    variant = Variant("litert-fp32", "litert", "fp32", "net.tflite")
    whole = Bundle(tmp_path, Manifest("net", "2026-01-01", {"forward": graph}, (variant,)))
    with pytest.raises(ValueError, match="graph 'forward', but other has only: encode"):
        recheck_bundle(whole, Origin("other", {"encode": source}, (), {}))


def row(name, sqnr_db):
    return LayerParity(name, (1,), 0.0, sqnr_db, None, name)


@pytest.mark.parametrize(
    ("sqnrs_db", "expected"),
    [
        ((45.0, 38.0, 33.0, 30.0), None),  # a slow loss is rounding
        ((45.0, 38.0, 20.0, 19.0), "2"),
        ((None, 40.0, 35.0, 24.0), "3"),  # what is equal bit by bit sets no mark
        ((40.0, 44.0, 31.0, 29.0), None),
    ],
)
def test_a_quantised_layer_goes_wrong_by_a_sudden_loss(sqnrs_db, expected):
    rows = [row(str(i), sqnr_db) for i, sqnr_db in enumerate(sqnrs_db)]
    assert first_wrong(rows, 1, is_quantised=True) == expected


def test_float_layers_are_not_searched_when_the_outputs_are_right():
    rows = [row("misnamed", 3.0), row("head", 120.0)]
    assert first_wrong(rows, 1, is_quantised=False) is None
    assert first_wrong([*rows[:1], row("head", 30.0)], 1, is_quantised=False) == "misnamed"


def test_taps_show_the_value_before_an_activation_in_place(source):
    tapped = TappedModel(source.model)
    (values,) = tapped.run(source.frames[:1])
    values = dict(zip(map(str, tapped.taps), values[1:], strict=True))  # the first is the output
    assert values["first.norm"].min() < 0 <= values["first.act"].min()


def test_quantised_files_are_compared_layer_by_layer_on_both_engines(small_net):
    variants = ["executorch-static_wi8_ai8", "litert-static_wi8_ai8"]
    results = recheck_bundle(small_net.bundle, small_net.origin, variants=variants, by_layer=True)
    assert [result.variant for result in results] == variants
    for result in results:
        assert result.problem is None
        noise = {layer.module_path: layer.sqnr_db for layer in result.layers.layers}
        assert all(
            10 < noise[path] < 70 for path in ("stem.conv", "depthwise.conv", "project.conv", "linear")
        )
