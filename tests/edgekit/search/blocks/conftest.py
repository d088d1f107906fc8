from dataclasses import replace

import pytest

from edgekit.data import load_dataset
from edgekit.models import ModelSpec
from edgekit.search.blocks import SEARCH_RECIPE, SearchPlan, Timing
from edgekit.training import fit_spec
from runtime.bundle.workload import Op, Workload
from runtime.device.setting import Setting

PLAN = SearchPlan(candidates=("k3e1", "k3e2", "k5e2"), tau=0.95, lr=0.3, every=1)
RECIPE = replace(SEARCH_RECIPE, epochs=6, batch_size=16, limit=80, device="cpu", augment=False)


def parameters_as_ms(network, example):
    """Return a workload of one op per block, and one for the rest: a parameter costs 1 us."""

    def op(name, module):
        return Op(name, "conv2d", sum(p.numel() for p in module.parameters()), 0, 0)

    blocks = [op(f"blocks.{place}", block) for place, block in enumerate(network.blocks)]
    rest = [op(name, module) for name, module in network.named_children() if name != "blocks"]
    return Workload((*rest[:1], *blocks, *rest[1:]))


@pytest.fixture(scope="session")
def timing():
    """A target of made-up speed."""
    ms = lambda workload: [op.macs / 1000 for op in workload.ops]  # noqa: E731
    return Timing("virtual:toy", Setting("big", 1000), "modelled", parameters_as_ms, ms, frame_ms=1.0)


@pytest.fixture(scope="session")
def digits():
    return load_dataset("digits", image_size=8)


@pytest.fixture(scope="session")
def spec(digits):
    return fit_spec(ModelSpec("mobilenet_v3_small", width=0.1), digits)
