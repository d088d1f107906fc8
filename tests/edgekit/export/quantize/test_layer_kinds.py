"""Kinds of layers that int8 once stumbled over, and how much of their files is int8."""

import numpy as np
import torch
from ai_edge_litert import interpreter
from torch import nn

from edgekit.cli._bundle import print_variants
from edgekit.export import Origin, QuantizeOptions, export_bundle
from edgekit.export.quantize.flat_conv import flatten_float_convolutions
from edgekit.export.quantize.plan import QuantizationPlan
from edgekit.tasks import SourceGraph
from runtime.bundle import TensorSpec


def origin(model, *examples):
    specs = [TensorSpec(f"input{i}", str(x.dtype)[6:], tuple(x.shape)) for i, x in enumerate(examples)]
    frames = tuple(tuple(x.numpy() for x in frame) for frame in (examples, examples))
    return Origin("kinds", {"forward": SourceGraph(model.eval(), tuple(specs), frames, "noise")}, (), {})


def export(tmp_path, engine, precisions, model, *examples, **choices):
    bundle = export_bundle(
        origin(model, *examples), tmp_path / "kinds.edgekit", engines=[engine], precisions=precisions,
        quantize=QuantizeOptions(), **choices,
    )  # fmt: skip
    return bundle, [variant.quantization for variant in bundle.manifest.variants]


class Block(nn.Module):
    """Three convolutions with ReLU and a shortcut, which reads the map that the first one of them reads."""

    def __init__(self):
        super().__init__()
        self.stem, self.first = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, 2, 1)
        self.second, self.shortcut = nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(8, 16, 1, 2)
        self.pool, self.scores = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 5)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))
        return self.scores(self.pool(x).flatten(1))


def test_dynamic_convolutions_before_a_relu_are_int8_and_right(tmp_path):
    torch.manual_seed(0)
    bundle, (record,) = export(
        tmp_path, "executorch", ["dynamic_wi8_afp32"], Block(), torch.randn(1, 3, 16, 16)
    )
    assert bundle.manifest.variants[0].parity.sqnr_db > 30
    assert (record.int8_share, record.float_layers) == (1, ())


class Moved(nn.Module):
    """A camera's bytes, padded and shuffled maps, and unlike layers that read one of them."""

    def __init__(self):
        super().__init__()
        self.stem, self.mixed = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 16, 3)
        self.wide, self.narrow, self.row = (
            nn.Conv2d(16, 5, 3, padding=1),
            nn.Conv2d(16, 4, 1),
            nn.Linear(8, 6),
        )

    def forward(self, x):
        x = torch.relu(self.stem(nn.functional.pad(x.permute(0, 3, 1, 2).float() / 255, (0, 1, 0, 1))))
        x = x.reshape(1, 2, 4, 8, 8).transpose(1, 2).reshape(1, 8, 8, 8)
        x = torch.relu(self.mixed(nn.functional.pad(x, (1, 1, 1, 1))))
        return self.wide(x), self.narrow(x), self.row(x)


def test_dynamic_layers_read_maps_as_they_are_laid_out(tmp_path):
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (1, 16, 16, 3), dtype=torch.uint8)
    bundle, (record,) = export(tmp_path, "executorch", ["dynamic_wi8_afp32"], Moved(), pixels)
    assert min(output.sqnr_db for output in bundle.manifest.variants[0].parity.outputs) > 30
    assert (record.int8_share, record.float_layers) == (1, ())


class Depth(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm, self.depth = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 1, 1)
        self.norm.running_var.uniform_(0.2, 2)

    def forward(self, x):
        return self.depth(torch.relu(self.norm(self.stem(x))))


def test_a_norm_called_by_the_user_and_a_layer_of_one_channel_are_int8(tmp_path):
    torch.manual_seed(0)
    bundle, (record,) = export(
        tmp_path, "executorch", ["dynamic_wi8_afp32"], Depth(), torch.randn(1, 3, 16, 16)
    )
    assert bundle.manifest.variants[0].parity.sqnr_db > 30
    assert record.int8_share == 1


class Sequence(nn.Module):
    """Convolutions along one axis, the last one too."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv1d(8, 16, 3, padding=1), nn.Conv1d(16, 16, 3, padding=2, dilation=2)
        self.head = nn.Conv1d(16, 4, 1)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


def test_a_file_that_is_int8_by_name_only_says_so(tmp_path, capsys):
    torch.manual_seed(0)
    bundle, (dynamic, static) = export(
        tmp_path, "executorch", ["dynamic_wi8_afp32", "static_wi8_ai8"], Sequence(), torch.randn(1, 8, 32)
    )
    assert (dynamic.int8_share, dynamic.float_layers) == (0, ("first", "second", "head"))
    assert static.float_layers == ("head",)
    assert static.int8_share > 0.9
    print_variants(bundle)
    told = capsys.readouterr().out
    assert "WARNING: int8 by name only, 0% of the work of layers is int8" in told
    assert "95% of the work of layers in int8; layers in float: head" in told
    assert told.count("SLOWER than fp32") == sum(one.latency_ratio > 1.1 for one in (dynamic, static))


class Map(nn.Module):
    """Linear layers and a norm on a map with its channels last, as ConvNeXt has them."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)
        self.wide, self.narrow = nn.Linear(8, 32), nn.Linear(32, 8)
        self.head = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        x = self.stem(x)
        y = self.narrow(torch.relu(self.wide(self.norm(x.permute(0, 2, 3, 1)))))
        return self.head(x + y.permute(0, 3, 1, 2))


def test_linear_layers_of_a_map_are_int8_and_its_norm_float(tmp_path):
    torch.manual_seed(0)
    bundle, (record,) = export(tmp_path, "litert", ["static_wi8_ai8"], Map(), torch.randn(1, 3, 24, 32))
    assert bundle.manifest.variants[0].parity.sqnr_db > 20
    assert (record.int8_share, record.float_layers) == (1, ())


class Ids(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.scores = nn.Embedding(20, 8), nn.Linear(8, 4)

    def forward(self, ids):
        return self.scores(self.table(ids))


def test_token_ids_of_64_bits_calibrate_a_file_that_takes_32(tmp_path):
    ids = torch.randint(0, 20, (1, 6))
    allowed = ["RESHAPE", "EMBEDDING_LOOKUP"]
    bundle, (record,) = export(tmp_path, "litert", ["static_wi8_ai8"], Ids(), ids, allow_fallback=allowed)
    assert bundle.manifest.variants[0].parity.sqnr_db > 20
    assert record.int8_share == 1


class Labels(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 64, 1)

    def forward(self, x):
        y = self.second(torch.relu(self.first(x)))
        return y, y.argmax(1)


def test_labels_of_int8_files_are_judged_by_agreement(tmp_path):
    torch.manual_seed(0)
    bundle, _ = export(
        tmp_path, "litert", ["static_wi8_ai8"], Labels(), torch.rand(1, 3, 48, 48), allow_fallback=["ARG_MAX"]
    )
    maps, labels = bundle.manifest.variants[0].parity.outputs
    assert maps.pixel_agreement == labels.equal_share
    assert 0.9 < labels.equal_share < 1


def test_what_has_no_layer_at_all_is_told_to_be_float(tmp_path):
    class Product(nn.Module):
        def forward(self, a, b):
            return torch.bmm(a, b)

    _, (record,) = export(
        tmp_path, "litert", ["static_wi8_ai8"], Product(), torch.randn(1, 4, 5), torch.randn(1, 5, 3)
    )
    assert (record.int8_share, record.float_layers) == (0, ())


def test_flat_convolutions_give_the_same_and_are_still_watched():
    torch.manual_seed(0)
    model, x, seen = Sequence().eval(), torch.randn(1, 8, 32), []
    model.second.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    plan = QuantizationPlan("static_wi8_ai8", None, ("second",), ("head",))
    flat, found = flatten_float_convolutions(model, plan)
    assert (found.kept_float, found.heads) == (("second", "head"), ())
    assert [type(layer).__name__ for layer in flat.children()] == ["Conv1d", "FlatConv1d", "FlatConv1d"]
    assert torch.allclose(flat(x), model(x), atol=1e-6)
    assert seen == [(1, 16, 32)] * 2


class Scaled(nn.Module):
    """Boxes in pixels beside scores; the converter folds the factor into the weights."""

    def __init__(self):
        super().__init__()
        self.stem, self.boxes, self.scores = (
            nn.Conv2d(3, 16, 3, 4, 1),
            nn.Conv2d(16, 4, 1),
            nn.Conv2d(16, 3, 1),
        )

    def forward(self, x):
        x = torch.relu(self.stem(x))
        boxes, scores = self.boxes(x).flatten(2) * 200 + 320, self.scores(x).flatten(2).sigmoid() * 0.5
        return torch.cat((boxes, scores), 1)


def test_weights_with_a_factor_folded_in_are_right_and_boxes_apart_from_scores(tmp_path):
    torch.manual_seed(0)
    bundle, _ = export(tmp_path, "litert", ["static_wi8_ai8"], Scaled(), torch.rand(1, 3, 64, 64))
    (output,) = bundle.manifest.variants[0].parity.outputs
    assert [part.channels for part in output.channels] == ["channels 4-6 of axis 1", "channels 0-3 of axis 1"]
    assert min(part.sqnr_db for part in output.channels) > 20


class Loud(nn.Module):
    """Blocks with a shortcut, one of which makes numbers far beyond what its hard swish looks at."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.quiet, self.loud = nn.Hardswish(), nn.Hardswish()
        self.head = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        x = self.quiet(self.stem(x))
        x = x + self.layers[0](x)
        return self.head(self.loud(self.layers[1](x) * 3000.0))


def test_what_the_delegate_refuses_for_its_scales_is_float_there_alone(tmp_path):
    torch.manual_seed(0)
    bundle, _ = export(tmp_path, "litert", ["static_wi8_ai8"], Loud(), torch.randn(1, 3, 16, 16))
    (variant,) = bundle.manifest.variants
    assert variant.delegation.fallback == ()
    file = interpreter.Interpreter(model_path=str(bundle.file(variant.path)))
    types = {one["name"]: one["dtype"] for one in file.get_tensor_details()}
    outputs = [(op["op_name"], types[name]) for op in file._get_ops_details() for name in _names(file, op)]
    assert [dtype for name, dtype in outputs if name == "ADD"] == [np.int8, np.int8]  # quiet's, the shortcut
    assert [dtype for name, dtype in outputs if name == "HARD_SWISH"] == [np.float32]


def _names(file, op):
    return [file._get_tensor_details(index, 0)["name"] for index in op["outputs"]]
