"""Models of the user take pictures and name classes: what a Preprocess says reaches the exported graph."""

import pytest
import torch
from PIL import Image
from torch import nn

from edgekit.export import Preprocess, export_bundle, find_origin, live_model
from edgekit.export.quantize import QuantizeOptions, find_calibration
from runtime.errors import DataError, ExportError

HALF = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "size": 8}
FILE = """
import torch
from torch import nn
from edgekit import Preprocess

def get_model():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def get_args():
    return (torch.zeros(1, 3, 8, 8),)

preprocess = Preprocess(mean=(0.5,) * 3, std=(0.25,) * 3, size=8, layout="nhwc", labels="names.txt")
"""


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.act = nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU()
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.pool(self.act(self.conv(x))).flatten(1))


def live(model=None, **settings):
    return live_model(model or Net(), torch.zeros(1, 3, 8, 8), "net", Preprocess(**HALF | settings))


def test_the_graph_takes_what_a_camera_gives_and_computes_the_same():
    net = Net().eval()
    (graph,) = live(net, layout="nhwc").graphs.values()
    assert graph.inputs[0].shape == (1, 8, 8, 3)
    assert [frame[0].shape for frame in graph.frames] == [(1, 8, 8, 3)] * 4
    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(graph.model(x.permute(0, 2, 3, 1)), net(x))
    assert net(x).shape == (1, 2)  # the user's own still takes what it took


def test_frames_to_check_on_are_pictures():
    (graph,) = live().graphs.values()
    low, high = (0 - 0.5) / 0.25, (1 - 0.5) / 0.25
    assert all(low <= frame[0].min() and frame[0].max() <= high for frame in graph.frames)
    assert graph.described == "the example input and 3 of random pixels"


def test_a_live_model_keeps_its_mode_and_its_device():
    net = Net().train()
    live(net)
    assert net.training


def test_a_file_as_litert_takes_it_with_a_preprocess_beside(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    origin = find_origin(f"{tmp_path}/mine.py")
    (graph,) = origin.graphs.values()
    assert (origin.labels, graph.inputs[0].shape) == (("cat", "dog"), (1, 8, 8, 3))
    assert origin.facts["user_model"]["function"] == "get_model"
    by_name = find_origin(f"{tmp_path}/mine.py:get_model", input_shapes=[(1, 3, 8, 8)])
    assert by_name.graphs["forward"].inputs[0].image.layout == "nhwc"


def test_inputs_by_name_come_in_the_order_of_forward(tmp_path):
    text = FILE.replace("(torch.zeros(1, 3, 8, 8),)", '{"input": torch.zeros(1, 3, 8, 8)}')
    text = text.replace(', labels="names.txt"', "")
    (tmp_path / "mine.py").write_text(text)
    assert find_origin(f"{tmp_path}/mine.py").graphs["forward"].inputs[0].name == "input"
    (tmp_path / "mine.py").write_text(text.replace('"input":', '"picture": 1, "input":'))
    with pytest.raises(
        ValueError, match="inputs are called picture, input; the arguments of forward are input: give these"
    ):
        find_origin(f"{tmp_path}/mine.py")


def test_a_quantisation_config_of_litert_is_not_dropped_in_silence(tmp_path):
    (tmp_path / "mine.py").write_text(FILE.replace("nn.Flatten())", "nn.Flatten()), 'int8'"))
    with pytest.raises(ValueError, match=r"brings a str along.*--precision"):
        find_origin(f"{tmp_path}/mine.py")


def test_a_function_called_preprocess_is_the_users_own(tmp_path):
    text = FILE.partition("preprocess =")[0] + "def preprocess(image):\n    return image\n"
    (tmp_path / "mine.py").write_text(text)
    assert find_origin(f"{tmp_path}/mine.py").graphs["forward"].inputs[0].image is None


def test_real_pictures_to_check_on_take_the_place_of_drawn_ones(tmp_path):
    (tmp_path / "mine.py").write_text(FILE.replace(', labels="names.txt"', ""))
    Image.new("RGB", (20, 10), (255, 0, 0)).save(tmp_path / "red.png")
    (graph,) = find_origin(f"{tmp_path}/mine.py", inputs=tmp_path / "red.png").graphs.values()
    ((picture,),) = graph.frames
    assert (picture.shape, graph.described) == ((1, 8, 8, 3), "the image red.png")
    assert picture[0, 0, 0].tolist() == [2, -2, -2]
    (tmp_path / "mine.py").write_text(FILE.partition("preprocess =")[0])
    with pytest.raises(ValueError, match="mine does not take one picture alone"):
        find_origin(f"{tmp_path}/mine.py", inputs=tmp_path / "red.png")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"mean": 0.5}, TypeError, "mean is 0.5; give a number per channel"),
        ({"mean": (123.7, 116.3, 103.5)}, ValueError, "divide it and std by 255"),
        ({"std": (0.5,)}, ValueError, "mean and std need 3 values"),
        ({"layout": "hwc"}, ValueError, "layout is 'hwc'; allowed: nchw, nhwc"),
        ({"size": 16}, ValueError, r"first input is .*\(1, 3, 8, 8\); preprocess makes .*\(1, 3, 16, 16\)"),
        ({"labels": "nowhere.txt"}, DataError, "labels nowhere.txt cannot be read"),
    ],
)
def test_a_preprocess_that_cannot_be_is_told(settings, error, message):
    with pytest.raises(error, match=message):
        live(**settings)


def test_labels_that_do_not_fit_the_scores_are_told_before_anything_is_written(tmp_path):
    with pytest.raises(ExportError, match="gives 2 scores, 3 labels name them"):
        export_bundle(live(labels=["a", "b", "c"]), tmp_path / "x.edgekit", engines=["litert"])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_channels_last_costs_no_op_and_no_delegate_on_either_engine(tmp_path):
    origin, plain = live(layout="nhwc"), live()
    precisions = ("fp32", "static_wi8_ai8")
    options = QuantizeOptions(calibration=find_calibration(origin))
    bundle = export_bundle(origin, tmp_path / "last.edgekit", precisions=precisions, quantize=options)
    first = export_bundle(plain, tmp_path / "first.edgekit")
    for variant in bundle.manifest.variants:
        assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ()), variant.name
    for variant in first.manifest.variants:
        last = bundle.workload(bundle.manifest.variant(variant.name))
        assert len(last.ops) <= len(first.workload(variant).ops)
