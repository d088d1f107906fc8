import pytest

from edgekit.models import ModelSpec, find_sites
from edgekit.search.placement.block import Block
from edgekit.search.placement.cost_table import BlockCost, CostTable, net_name


@pytest.fixture
def digits_spec():
    """MobileNetV2 as `edgekit place` and `edgekit train` ask for it on 8x8 digits."""
    return ModelSpec(
        "mobilenet_v2",
        num_classes=10,
        width=0.1,
        image_size=8,
        in_channels=1,
        act="dyrelu-b",
        dynamic_conv="pointwise",
    )


@pytest.fixture
def saved_costs(tmp_path, digits_spec):
    """A file of made-up costs of another machine: 10 us each, the head's 500 us; the network takes 1 ms."""
    sites = find_sites(digits_spec)
    blocks = {Block.at(site, digits_spec): 0.5 if site.path.startswith("head") else 0.01 for site in sites}
    costs = tuple(BlockCost(block, added_ms) for block, added_ms in blocks.items())
    table = CostTable("litert", "a phone", {"edgekit": "0"}, costs, {net_name(digits_spec): 1.0})
    path = tmp_path / "costs.json"
    table.save(path)
    return path
