import json
import math

import pytest
import torch
from torch import nn

from edgekit.models import count_macs
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning import Budget, load_rates
from edgekit.pruning.method import norms
from runtime.errors import PruneError
from tests.edgekit.pruning.nets import EXAMPLE, small_model

SHAPE = (1, 8, 8)


def counted(model, budget, scores=None):
    groups = ChannelGraph(model, EXAMPLE).groups(budget.scope)
    return groups, budget.allocation(model, EXAMPLE).counts(groups, scores or norms(model, groups))


def macs_without(model, counts):
    plan = {name: tuple(range(count)) for name, count in counts.items()}
    return count_macs(physically_remove(model, plan, torch.rand(1, *SHAPE)), SHAPE)


@pytest.mark.parametrize("scope", ["inside", "all"])
@pytest.mark.parametrize("share", ["uniform", "global"])
def test_a_mac_budget_is_met_to_one_multiple_of_one_layer(share, scope):
    model = small_model().eval()
    whole = count_macs(model, SHAPE)
    _, counts = counted(model, Budget(macs=0.6, share=share, scope=scope, round_to=4))
    spent = macs_without(model, counts)
    assert spent <= 0.6 * whole
    # Four channels of one layer more would be over it, wherever they are.
    some_more = [{**counts, name: count - 4} for name, count in counts.items()]
    nearest = min(macs_without(model, more) for more in some_more)
    assert nearest > 0.6 * whole


def test_a_budget_of_parameters_and_one_in_numbers():
    model = small_model().eval()
    whole = sum(parameter.numel() for parameter in model.parameters())
    for budget in (Budget(params=0.7, round_to=4), Budget(params=0.7 * whole, round_to=4)):
        _, counts = counted(model, budget)
        plan = {name: tuple(range(count)) for name, count in counts.items()}
        left = physically_remove(model, plan, torch.rand(1, *SHAPE))
        assert 0.6 * whole < sum(parameter.numel() for parameter in left.parameters()) <= 0.7 * whole


def test_global_shares_take_from_the_layer_of_least_scores():
    model = small_model().eval()
    groups = ChannelGraph(model, EXAMPLE).groups()
    scores = {group.name: torch.linspace(0.9, 1.1, group.channels) for group in groups}
    poor = groups[4].name
    scores[poor] = torch.cat([torch.full((12,), 1e-3), torch.full((4,), 4.0)])
    _, counts = counted(model, Budget(rate=0.08, share="global", round_to=4), scores)
    assert counts == {poor: 12}


def test_layers_that_compete_keep_a_tenth():
    model = small_model().eval()
    groups = ChannelGraph(model, EXAMPLE).groups()
    scores = {group.name: torch.ones(group.channels) for group in groups}
    scores[groups[-1].name] = torch.cat([torch.full((31,), 1e-6), torch.ones(1)])
    _, counts = counted(model, Budget(rate=0.25, share="global", round_to=1), scores)
    assert counts[groups[-1].name] == math.floor(0.9 * 32)


def test_rates_of_a_file_go_by_the_first_pattern_that_fits(tmp_path):
    file = tmp_path / "rates.json"
    file.write_text(json.dumps({"stages.2.0.*": 0.75, "stages.2.*": 0.5}))
    _, counts = counted(small_model().eval(), Budget(rates=load_rates(file), round_to=4))
    assert counts == {
        "stages.2.0.conv1.conv": 24,
        "stages.2.1.conv1.conv": 16,
        "stages.2.2.conv1.conv": 16,
    }


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(macs=0.01), r"cannot be met: \d+ \(\d+%\) is the least with scope 'inside' .* try scope all"),
        (Budget(macs=1e12), "is met already"),
        (Budget(macs=1.0), "is met already"),
        (Budget(rates={"stem*": 0.5}), r"no layer .* is called 'stem\*'; they are: stages.0.0.conv1.conv"),
    ],
)
def test_budgets_that_cannot_be_are_refused(budget, message):
    with pytest.raises(PruneError, match=message):
        counted(small_model().eval(), budget)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no amount is given"),
        ({"rate": 0.5, "macs": 0.5}, "rate, macs are given; choose one"),
        ({"rate": 0.0}, "it must be above 0 and below 1"),
        ({"rate": float("nan")}, "it must be above 0 and below 1"),
        ({"rates": {"*": 1.0}}, "it must be above 0 and below 1"),
        ({"macs": -1.0}, "macs is -1.0; give a share"),
        ({"rate": 0.5, "round_to": 0}, "round_to is 0"),
        ({"rate": 0.5, "share": "fair"}, "share is 'fair'; allowed: uniform, global"),
        ({"rate": 0.5, "scope": "out"}, "scope is 'out'; allowed: inside, all"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Budget(**values)


def test_a_file_that_holds_no_rates_is_refused(tmp_path):
    with pytest.raises(PruneError, match="cannot read"):
        load_rates(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"a": "much"}')
    with pytest.raises(PruneError, match="write it as"):
        load_rates(tmp_path / "bad.json")


def test_a_flat_network_has_a_budget_too():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)
    )
    groups, counts = counted(model.eval(), Budget(macs=0.6, round_to=1))
    assert [group.name for group in groups] == ["2"]
    assert count_macs(model, SHAPE) == 8 * 9 * 36 + 16 * 72 * 16 + 512
    # 2592 of the first layer stay; each of the 16 channels of the second costs 1152 + 32.
    assert counts == {"2": 16 - int((0.6 * (2592 + 16 * 1184) - 2592) / 1184)}
