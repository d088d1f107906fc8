"""Backbones: maps by stride, and pruning below a head that reads them."""

import pytest
import torch
from torch import nn

from edgekit.models import MODELS, Backbone, ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.models.surgery.trial import try_removal
from tests.edgekit.models.headed import Headed

KINDS = [
    {"name": "mobilenet_v2"},
    {"name": "mobilenet_v2", "act": "dyrelu-b", "dynamic_conv": "pointwise", "dynamic_at": ("last:3",)},
    {"name": "mobilenet_v3_small"},
    {"name": "efficientnet_lite0", "block": "sge"},
    {"name": "resnet18", "block": "sk"},
    {"name": "resnet20", "act": "dyrelu-b"},
]


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_gives_its_maps_by_stride(name):
    backbone = Backbone(ModelSpec(name, width=0.1, image_size=96)).eval()
    maps = backbone(torch.zeros(1, 3, 96, 96))
    assert list(maps) == ([4] if name in ("resnet20", "resnet56") else [4, 8, 16, 32])
    for stride, tapped in maps.items():
        assert tapped.shape == (1, backbone.channels[stride], 96 // stride, 96 // stride)


def test_a_backbone_computes_what_its_model_does():
    spec = ModelSpec("mobilenet_v2", width=0.25, image_size=32, num_classes=3)
    torch.manual_seed(0)
    model, backbone = build_model(spec).eval(), Backbone(spec, strides=(8,)).eval()
    backbone.net.load_state_dict(model.state_dict(), strict=False)
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(backbone(x)[8], model.blocks(model.stem(x)))


def test_what_has_no_taps_is_refused(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "from torch import nn\ndef net(num_classes): return nn.Sequential(nn.Flatten(), "
        "nn.LazyLinear(num_classes))\n"
    )
    with pytest.raises(ValueError, match="has no method trunk"):
        Backbone(ModelSpec(f"{file}:net", num_classes=2, image_size=8))
    with pytest.raises(ValueError, match="32 pixels has no map at stride 32"):
        Backbone(ModelSpec("mobilenet_v2", width=0.1, image_size=32), strides=(32,))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_channels_go_below_a_head_as_they_go_below_a_classifier(kind):
    spec = ModelSpec(width=0.25, image_size=32, **kind)
    torch.manual_seed(0)
    net, example = Headed(spec).eval(), torch.randn(2, 3, 32, 32)
    groups = ChannelGraph(net, example[:1]).groups("inside")
    alone = ChannelGraph(build_model(spec), example[:1]).groups("inside")
    ours = [g.name for g in groups if g.name.startswith("backbone.")]
    assert ours == [f"backbone.net.{g.name}" for g in alone]
    kept, left_out = try_removal(net, ChannelGraph(net, example[:1]).groups("all"), example)
    assert set(left_out) == {"mask", "edge"}  # the outputs
    assert {"laterals.0", *(g.name for g in groups)} <= {g.name for g in kept}


def test_the_smaller_network_computes_what_the_zeroed_one_did():
    torch.manual_seed(0)
    net = Headed(ModelSpec("mobilenet_v2", width=0.25, image_size=32)).eval()
    example = torch.randn(2, 3, 32, 32)
    groups = [g for g in ChannelGraph(net, example[:1]).groups("all") if g.name not in ("mask", "edge")]
    plan = {group.name: tuple(range(0, group.channels, 2)) for group in groups}
    small = physically_remove(net, plan, example)  # raises where the outputs differ
    assert small(example)["mask"].shape == net(example)["mask"].shape
    assert small.laterals[0].out_channels == 8  # with the layer that all maps share
    assert _weights(small) < 0.7 * _weights(net)


def _weights(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
