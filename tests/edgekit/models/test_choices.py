"""Blocks chosen place by place."""

from dataclasses import replace

import msgspec
import pytest
import torch

from edgekit.models import MODELS, ModelSpec, build_model, list_models, model_cost

MOBILE = [name for name in list_models() if MODELS.get(name).places]


def small(name, **options):
    return ModelSpec(name, num_classes=4, width=0.25, image_size=32, **options)


def test_all_mobilenets_and_efficientnets_have_places():
    assert [name for name in list_models() if name not in MOBILE] == ["resnet18", "resnet20", "resnet56"]


@pytest.mark.parametrize("name", MOBILE)
def test_own_blocks_are_the_models_own(name):
    own = small(name, choices=("own",) * MODELS.get(name).places)
    torch.manual_seed(0)
    plain = build_model(small(name)).state_dict()
    torch.manual_seed(0)
    chosen = build_model(own).state_dict()
    assert plain.keys() == chosen.keys()
    assert all(torch.equal(plain[key], chosen[key]) for key in plain)


@pytest.mark.parametrize("name", MOBILE)
def test_chosen_blocks_have_their_kernel_and_width_and_skipped_ones_are_gone(name):
    own = build_model(small(name)).blocks
    choices = tuple("skip" if block.has_shortcut else "k5e2" for block in own)
    spec = msgspec.json.decode(msgspec.json.encode(small(name, choices=choices)), type=ModelSpec)
    network = build_model(spec).eval()
    for choice, block, before in zip(choices, network.blocks, own, strict=True):
        if choice == "skip":
            assert isinstance(block, torch.nn.Identity)
            continue
        depthwise = block.depthwise.conv
        assert depthwise.kernel_size == (5, 5)
        assert depthwise.groups == 2 * block.expand.conv.in_channels
        assert depthwise.stride == before.depthwise.conv.stride
        assert (block.squeeze is None) == (before.squeeze is None)
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 4)
    assert model_cost(spec).macs < model_cost(small(name)).macs


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (("k4e3",) * 17, "choice 'k4e3' at place 0; write own, skip"),
        (("k3e3",) * 16, "16 choices for 'mobilenet_v2', which has 17 blocks"),
    ],
)
def test_choices_that_are_none_are_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        small("mobilenet_v2", choices=choices)


def test_a_block_that_changes_shape_cannot_be_skipped():
    with pytest.raises(ValueError, match="place 3 cannot be skipped: it makes 8 -> 8 channels with stride 2"):
        build_model(replace(small("mobilenet_v2", choices=("own",) * 3 + ("skip",) * 14), image_size=224))


def test_networks_without_places_and_selective_kernels_have_no_choices():
    with pytest.raises(ValueError, match="the blocks of 'resnet20' cannot be chosen; take a MobileNet"):
        small("resnet20", choices=("own",))
    with pytest.raises(ValueError, match="choices and block='sk'"):
        small("mobilenet_v2", choices=("own",) * 17, block="sk")
