"""Sites of the networks, patterns that choose among them, and networks dynamic at the chosen ones only."""

from dataclasses import replace

import msgspec
import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, Site, build_model, count_parameters, find_sites, list_models
from edgekit.models.placement import resolve
from edgekit.nn import DynamicConv2d, DynamicReLU

BOTH = {"act": "dyrelu-b", "dynamic_conv": "pointwise"}
TINY = ModelSpec("mobilenet_v2", num_classes=2, width=0.1, image_size=8, in_channels=1, **BOTH)
RESNET = ModelSpec("resnet20", num_classes=2, width=0.5, image_size=16, in_channels=1, **BOTH)


def dynamic_paths(model):
    return tuple(
        path for path, layer in model.named_modules() if isinstance(layer, DynamicConv2d | DynamicReLU)
    )


@pytest.mark.parametrize("name", list_models())
def test_sites_are_the_layers_that_a_dynamic_model_makes_dynamic(name):
    spec = ModelSpec(name, num_classes=2, width=0.1, image_size=32, **BOTH)
    assert {site.path for site in find_sites(spec)} == set(dynamic_paths(build_model(spec)))


def test_sites_know_the_shape_they_work_on_and_what_they_add():
    sites = {site.path: site for site in find_sites(RESNET)}
    assert sites["stem.act"] == Site("stem.act", "act", 8, 8, 16, 16, 4 * 8 + 4 + 4 * (4 * 8 + 8))
    shortcut = sites["stages.1.0.shortcut.conv"]
    assert (shortcut.in_channels, shortcut.out_channels, shortcut.height, shortcut.stride) == (8, 16, 16, 2)
    attention = (8 * 4 + 4) + (4 * 4 + 4)
    assert shortcut.added_params == 3 * 8 * 16 + attention


def test_sites_add_exactly_the_parameters_by_which_the_networks_differ():
    dynamic = build_model(replace(RESNET, dynamic_at=None))
    static = build_model(replace(RESNET, act="default", dynamic_conv="none"))
    added = sum(site.added_params for site in find_sites(RESNET))
    assert count_parameters(dynamic) - count_parameters(static) == added


def test_a_convolution_site_tells_whether_an_activation_follows():
    follows = {site.path: site.act_follows for site in find_sites(TINY) if site.kind == "conv"}
    assert follows["blocks.1.expand.conv"]
    assert not follows["blocks.1.project.conv"]


def test_only_the_kinds_that_are_asked_for_are_sites():
    kinds = {site.kind for site in find_sites(replace(TINY, act="default"))}
    assert kinds == {"conv"}


def test_finding_sites_leaves_the_random_numbers_alone():
    torch.manual_seed(1)
    find_sites(TINY)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))


PATHS = ["stem.act", "blocks.0.project.conv", "blocks.1.expand.conv", "blocks.1.expand.act", "head.act"]


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["blocks.1.expand.act"], [3]),
        (["blocks.1"], [2, 3]),
        (["blocks.*.conv"], [1, 2]),
        (["*.expand"], [2, 3]),
        (["last:2"], [3, 4]),
        (["everywhere"], [0, 1, 2, 3, 4]),
        (["head.act", "stem.act"], [0, 4]),
        ([], []),
    ],
)
def test_patterns_name_sites_in_the_networks_order(patterns, chosen):
    assert resolve(patterns, PATHS) == tuple(PATHS[i] for i in chosen)


def test_an_unknown_path_names_near_matches():
    with pytest.raises(ValueError, match=r"'blocks.1.expand.akt'.*did you mean blocks.1.expand.act"):
        resolve(["blocks.1.expand.akt"], PATHS)


@pytest.mark.parametrize("pattern", ["last:0", "last:6", "last:", "last:x"])
def test_a_wrong_number_of_last_layers_is_refused(pattern):
    with pytest.raises(ValueError, match="N from 1 to 5"):
        resolve([pattern], PATHS)


@pytest.mark.parametrize("name", list_models())
def test_a_placed_network_is_dynamic_at_exactly_these_layers(name):
    spec = ModelSpec(name, num_classes=2, width=0.1, image_size=32, **BOTH)
    chosen = [site.path for site in find_sites(spec)][1::5]
    model = build_model(replace(spec, dynamic_at=tuple(chosen)))
    assert set(dynamic_paths(model)) == set(chosen)
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 2)


def test_a_placed_network_keeps_the_static_layers_weights_and_squeezes():
    spec = ModelSpec("mobilenet_v3_small", num_classes=2, width=0.25, image_size=32, **BOTH)
    static = replace(spec, act="default", dynamic_conv="none")
    torch.manual_seed(3)
    expected = build_model(static).state_dict()
    torch.manual_seed(3)
    placed = build_model(replace(spec, dynamic_at=("blocks.4",)))
    same = [key for key in placed.state_dict() if not key.startswith("blocks.4.")]
    assert all(torch.equal(placed.state_dict()[key], expected[key]) for key in same)
    assert "blocks.0.squeeze.fc1.weight" in same


def test_everywhere_is_the_same_network_as_none_given():
    torch.manual_seed(0)
    expected = dynamic_paths(build_model(TINY))
    assert dynamic_paths(build_model(replace(TINY, dynamic_at=("everywhere",)))) == expected


def test_nowhere_is_the_static_network():
    assert dynamic_paths(build_model(replace(TINY, dynamic_at=()))) == ()


def test_a_relu_asked_for_stays_where_only_convolutions_are_placed():
    spec = replace(TINY, act="relu", dynamic_at=("head.conv",))
    kinds = {type(layer) for layer in build_model(spec).modules()}
    assert nn.ReLU6 not in kinds
    assert nn.ReLU in kinds


def test_a_placement_survives_json():
    spec = replace(TINY, dynamic_at=("blocks.3", "last:2"))
    assert msgspec.json.decode(msgspec.json.encode(spec), type=ModelSpec) == spec


def test_a_placement_of_nothing_dynamic_is_refused():
    with pytest.raises(ValueError, match="nothing is dynamic; choose act='dyrelu-b'"):
        ModelSpec("mobilenet_v2", dynamic_at=("last:1",))


def test_a_placement_that_fits_no_layer_is_refused_when_built():
    with pytest.raises(ValueError, match=r"'blocks.99', where no layer can be dynamic"):
        build_model(replace(TINY, dynamic_at=("blocks.99",)))
