"""What holds for every registered model."""

import pytest
import torch
import torch_pruning as tp
from torch import nn

from edgekit.models import (
    MODELS,
    ModelSpec,
    build_model,
    count_macs,
    count_parameters,
    list_models,
    model_cost,
)
from edgekit.models.inverted_residual import InvertedResidual
from edgekit.models.layers import SqueezeExcite
from edgekit.models.resnet import BasicBlock
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, SpatialGroupEnhance

# Published counts (torchvision; EfficientNet-Lite's weight files). The two CIFAR nets of the paper have
# 0.27 M and 0.85 M; ours have 1x1 shortcuts, computed by hand from the paper's table.
PARAMS = {
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
    "mobilenet_v2": 3_504_872,
    "mobilenet_v3_large": 5_483_032,
    "mobilenet_v3_small": 2_542_856,
    "resnet18": 11_689_512,
    "resnet20": 272_474,
    "resnet56": 855_770,
}
# Multiply-accumulates published with torchvision's weights, and by the papers.
GIGA_MACS = {
    "mobilenet_v2": 0.301,
    "mobilenet_v3_large": 0.217,
    "mobilenet_v3_small": 0.057,
    "resnet18": 1.814,
}
DYNAMIC = {"act": "dyrelu-b", "dynamic_conv": "pointwise", "kernels": 2}
QUICK = ("efficientnet_lite0", "mobilenet_v2", "mobilenet_v3_small", "resnet20")
# One of each family always runs; its larger siblings only with the slow tests.
ALL = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PARAMS]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def small(name: str, **choices) -> ModelSpec:
    return ModelSpec(name, num_classes=5, width=0.25, image_size=32, **choices)


def activations(model: nn.Module) -> list[nn.Module]:
    """Return the activations of ``model``; those inside other blocks belong to the block."""
    blocks = [m for m in model.modules() if isinstance(m, DynamicReLU | DynamicConv2d | SqueezeExcite)]
    inside = {part for block in blocks for part in block.modules() if part is not block}
    kinds = nn.ReLU | nn.ReLU6 | nn.Hardswish | DynamicReLU
    return [m for m in model.modules() if isinstance(m, kinds) and m not in inside]


def test_every_model_has_a_published_count():
    assert set(PARAMS) == set(list_models())


@pytest.mark.parametrize("name", PARAMS)
def test_parameter_count(name):
    entry = MODELS.get(name)
    spec = ModelSpec(name, num_classes=entry.num_classes, image_size=entry.image_size)
    assert count_parameters(build_model(spec)) == PARAMS[name]


@pytest.mark.parametrize("name", GIGA_MACS)
def test_multiply_accumulates(name):
    assert round(model_cost(ModelSpec(name)).macs / 1e9, 3) == GIGA_MACS[name]


@pytest.mark.parametrize("choices", [{}, DYNAMIC], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", ALL)
def test_a_model_starts_in_training_mode_and_learns_in_every_weight(name, choices):
    model = build_model(small(name, **choices))
    assert model.training
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    logits = model(images)
    assert logits.shape == (4, 5)
    nn.functional.cross_entropy(logits, labels).backward()
    assert [key for key, p in model.named_parameters() if p.grad is None] == []
    # A dynamic activation's first layer waits until its heads have left zero, and of so narrow a
    # net all its hidden units may be off; tests of the block itself show that it learns.
    acts = {p for act in activations(model) for p in act.parameters()}
    assert [key for key, p in model.named_parameters() if p not in acts and not p.grad.any()] == []


@pytest.mark.slow
@pytest.mark.parametrize("choices", [{}, DYNAMIC], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", PARAMS)
def test_every_model_exports_and_keeps_its_numbers(name, choices):
    check_export(small(name, **choices))


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "resnet20"])
def test_a_model_exports_and_keeps_its_numbers(name):
    check_export(small(name))


def check_export(spec: ModelSpec) -> None:
    model = build_model(spec).eval()
    x = torch.randn(1, 3, 32, 32)
    exported = torch.export.export(model, (x,)).module()
    torch.testing.assert_close(exported(x), model(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_torch_pruning_follows_every_channel(name):
    model = build_model(small(name, act="relu")).eval()
    x = torch.randn(1, 3, 32, 32)
    graph = tp.DependencyGraph().build_dependency(model, x)
    last = model.classifier.linear
    before = count_parameters(model)
    convolutions = sum(isinstance(m, nn.Conv2d) for m in model.modules())
    pruned = 0
    for group in graph.get_all_groups(ignored_layers=[last]):
        pruned += sum(isinstance(dep.target.module, nn.Conv2d) for dep, _ in group)
        root = group[0].dep
        graph.get_pruning_group(root.target.module, root.handler, [0]).prune()
    assert pruned >= convolutions
    assert count_parameters(model) < before
    assert model(x).shape == (1, 5)


@pytest.mark.parametrize("name", ALL)
def test_a_dynamic_model_prunes_to_a_smaller_equal_one(name):
    model = build_model(small(name, **DYNAMIC)).eval()
    x = torch.randn(2, 3, 32, 32)
    inner = ChannelGraph(model, x).groups()
    plan = {conv.name: tuple(range(conv.channels // 2)) for conv in inner}
    compact = physically_remove(model, plan, x)  # raises when masked and compact outputs differ
    assert inner
    assert count_macs(compact, (3, 32, 32)) < 0.75 * count_macs(model, (3, 32, 32))


@pytest.mark.parametrize("name", ALL)
def test_image_size_8_keeps_a_map_and_grey_images_fit(name):
    model = build_model(ModelSpec(name, num_classes=3, width=0.25, image_size=8, in_channels=1))
    assert model(torch.randn(2, 1, 8, 8)).shape == (2, 3)


@pytest.mark.parametrize("name", ALL)
def test_relu_replaces_every_activation(name):
    kinds = {type(act) for act in activations(build_model(small(name, act="relu")))}
    assert kinds == {nn.ReLU}


@pytest.mark.parametrize("variant", ["a", "b", "c"])
@pytest.mark.parametrize("name", ALL)
def test_dynamic_relu_replaces_every_activation_but_the_classifiers(name, variant):
    model = build_model(small(name, act=f"dyrelu-{variant}"))
    features = nn.ModuleList(child for key, child in model.named_children() if key != "classifier")
    found = activations(features)
    assert found
    assert all(isinstance(act, DynamicReLU) and act.variant == variant for act in found)


@pytest.mark.parametrize("name", ALL)
def test_dynamic_convolutions_replace_every_pointwise_one(name):
    model = build_model(small(name, dynamic_conv="pointwise", kernels=3))
    dynamic = [m for m in model.modules() if isinstance(m, DynamicConv2d)]
    ours = {part for m in dynamic for part in m.modules()}
    gates = {part for key, m in model.named_modules() if key.endswith(".squeeze") for part in m.modules()}
    static = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m not in ours | gates]
    assert dynamic
    assert all(conv.kernels == 3 and conv.kernel_size == (1, 1) for conv in dynamic)
    assert all(conv.kernel_size != (1, 1) for conv in static)


@pytest.mark.parametrize("name", ALL)
def test_every_residual_block_is_selective(name):
    model = build_model(small(name, block="sk"))
    units = {key: m for key, m in model.named_modules() if isinstance(m, SelectiveKernel)}
    where = "conv1" if name.startswith("resnet") else "depthwise"
    assert sorted(units) == sorted(key for key, _ in model.named_modules() if key.endswith(f".{where}"))
    assert all(len(unit.branches) == 2 for unit in units.values())
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize("name", ALL)
def test_spatial_enhance_comes_into_every_block_and_lets_all_pass_when_its_gates_are_open(name):
    torch.manual_seed(0)
    plain = build_model(small(name)).eval()
    torch.manual_seed(0)
    enhanced = build_model(small(name, block="sge")).eval()
    units = {key: m for key, m in enhanced.named_modules() if isinstance(m, SpatialGroupEnhance)}
    blocks = [key for key, m in plain.named_modules() if isinstance(m, BasicBlock | InvertedResidual)]
    assert sorted(units) == sorted(f"{key}.enhance" for key in blocks)
    x = torch.randn(2, 3, 32, 32)
    expected = plain(x)
    assert (enhanced(x) - expected).abs().max() > 0.01 * expected.abs().max()
    for unit in units.values():
        nn.init.constant_(unit.shift, 100.0)
    assert (enhanced(x) - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_erase_relu_takes_one_activation_from_every_block(name):
    plain, erased = (build_model(small(name, erase_relu=value)) for value in (False, True))
    blocks = sum(isinstance(m, BasicBlock) for m in plain.modules())
    assert len(activations(erased)) == len(activations(plain)) - blocks
    assert plain.state_dict().keys() == erased.state_dict().keys()
    assert plain.eval().stages(torch.randn(1, plain.stem.conv.out_channels, 8, 8)).min() >= 0
    assert erased.eval().stages(torch.randn(1, plain.stem.conv.out_channels, 8, 8)).min() < 0


def test_blocks_without_a_last_activation_have_none_to_erase():
    with pytest.raises(ValueError, match="erase_relu on 'mobilenet_v2', whose blocks end without"):
        small("mobilenet_v2", erase_relu=True)


@pytest.mark.parametrize("name", ALL)
def test_dropout_is_the_specs(name):
    rates = [m.p for m in build_model(small(name, dropout=0.37)).modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.37]


def test_squeeze_and_excitation_goes_when_the_activation_is_dynamic():
    def squeezes(**choices):
        model = build_model(small("mobilenet_v3_small", **choices))
        return sum(block.squeeze is not None for block in model.blocks)

    assert (squeezes(), squeezes(act="relu"), squeezes(act="dyrelu-b")) == (9, 9, 0)


def test_a_narrow_mobilenet_v2_keeps_its_last_layer():
    model = build_model(ModelSpec("mobilenet_v2", num_classes=10, width=0.35, image_size=32))
    widths = [block.project.conv.out_channels for block in model.blocks]
    assert sorted(set(widths)) == [8, 16, 24, 32, 56, 112]  # round(0.35 * 16, 24, 32, 64, 96, 160, 320)
    assert model.head.conv.out_channels == 1280
    wide = build_model(ModelSpec("mobilenet_v2", num_classes=10, width=1.4, image_size=32))
    assert wide.head.conv.out_channels == 1792


@pytest.mark.parametrize(("image_size", "side"), [(8, 4), (16, 4), (32, 4), (64, 4), (96, 3), (224, 7)])
def test_small_images_keep_their_resolution_longer(image_size, side):
    model = build_model(ModelSpec("mobilenet_v2", num_classes=2, width=0.1, image_size=image_size)).eval()
    features = model.blocks(model.stem(torch.randn(1, 3, image_size, image_size)))
    assert features.shape[2:] == (side, side)


def test_resnet18_has_the_cifar_stem_on_small_images_only():
    cifar = build_model(ModelSpec("resnet18", width=0.125, image_size=32))
    assert (cifar.stem.conv.kernel_size, cifar.stem.conv.stride, cifar.pool) == ((3, 3), (1, 1), None)
    imagenet = build_model(ModelSpec("resnet18", width=0.125))
    assert (imagenet.stem.conv.kernel_size, imagenet.stem.conv.stride) == ((7, 7), (2, 2))
    y = torch.relu(torch.randn(1, 8, 12, 12))
    assert torch.equal(imagenet.pool(y), nn.functional.max_pool2d(y, 3, 2, 1))
