"""A network with dynamic blocks starts from the weights of a static one and computes the same at first."""

from dataclasses import replace

import pytest
import torch

from edgekit.models import ModelSpec, build_model, static_of
from edgekit.nn import set_temperature
from edgekit.training.weights import start_from
from runtime.errors import CheckpointError

SPEC = ModelSpec(
    "resnet20", num_classes=2, width=0.5, image_size=16, act="dyrelu-b", dynamic_conv="pointwise"
)


@pytest.mark.parametrize("dynamic_at", [None, ("stages.1",), ("last:3",)])
def test_uniform_attention_computes_what_the_static_network_did(dynamic_at):
    static = build_model(static_of(SPEC)).eval()
    model = build_model(replace(SPEC, dynamic_at=dynamic_at)).eval()
    start_from(model, static.state_dict(), "static")
    set_temperature(model, 1e9)
    inputs = torch.rand(2, 3, 16, 16)
    assert torch.allclose(model(inputs), static(inputs), atol=1e-5)


def test_kernels_differ_from_one_another_from_the_start():
    model = build_model(replace(SPEC, dynamic_at=("stages.1.0.shortcut",)))
    start_from(model, build_model(static_of(SPEC)).state_dict(), "static")
    kernels = model.get_submodule("stages.1.0.shortcut.conv").weight
    distances = torch.pdist(kernels.detach().flatten(1))
    assert distances.min() > 0.1 * kernels.norm(dim=1).mean()


def test_a_dynamic_network_starts_from_a_dynamic_one_as_it_is():
    source, model = build_model(SPEC), build_model(SPEC)
    start_from(model, source.state_dict(), "source")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), source.parameters(), strict=True))


def test_a_static_network_of_another_width_is_refused():
    with pytest.raises(CheckpointError, match="holds the weights of another model"):
        start_from(build_model(SPEC), build_model(static_of(replace(SPEC, width=1.0))).state_dict(), "wide")
