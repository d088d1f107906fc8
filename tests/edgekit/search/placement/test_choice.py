"""The choice of layers from costs, and the costs themselves."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, Site, build_model, find_sites
from edgekit.nn import DynamicConv2d, DynamicReLU
from edgekit.search.placement import (
    CostTable,
    benefit_of,
    choose_sites,
    default_costs,
    load_costs,
    paired_engine_latencies_ms,
    parse_budget,
    place,
)
from edgekit.search.placement import choice as choice_module
from edgekit.search.placement.block import Block, measure_block
from runtime.errors import DataError


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0.1", 0.1), (" 7.5 % ", 0.075), ("250%", 2.5)])
def test_a_budget_is_a_share_or_a_percentage(text, share):
    assert parse_budget(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["10", "0", "-5%", "ten", "", "%", "nan", "inf%"])
def test_a_budget_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r"write 10% or 0\.1"):
        parse_budget(text)


def test_a_layer_with_more_parameters_is_worth_more_but_less_per_parameter():
    sites = [Site("x", "act", 8, 8, 4, 4, params) for params in (10, 100, 1000)]
    small, middle, large = benefit_of(sites)
    assert 1 < small < middle == 2 < large < 10


def test_the_chosen_layers_fit_the_budget_and_leave_out_the_dear_ones(digits_spec, saved_costs):
    sites = find_sites(digits_spec)
    placement = choose_sites(digits_spec, sites, load_costs(saved_costs), 0.1)
    assert len(placement.dynamic_at) == 10  # of 10 us each in 100 us
    assert placement.added_ms == pytest.approx(0.1)
    assert not any(path.startswith("head") for path in placement.dynamic_at)
    chosen = {site.path: site.benefit for site in placement.sites if site.chosen}
    others = [s.benefit for s in placement.sites if not s.chosen and not s.path.startswith("head")]
    assert min(chosen.values()) >= max(others)
    assert build_model(replace(digits_spec, dynamic_at=placement.dynamic_at)) is not None


def test_a_correction_makes_every_block_dearer(digits_spec, saved_costs):
    sites, costs = find_sites(digits_spec), load_costs(saved_costs)
    assert len(choose_sites(digits_spec, sites, costs, 0.1, correction=2.0).dynamic_at) == 5


def test_a_budget_that_nothing_fits_is_said(digits_spec, saved_costs):
    placement = place(digits_spec, 0.001, costs=saved_costs)
    assert placement.dynamic_at == ()
    assert "no dynamic block fits" in placement.warnings[0]


@pytest.fixture
def of_here(monkeypatch):
    monkeypatch.setattr(CostTable, "is_of_here", lambda table: True)


def test_layers_are_chosen_again_until_the_measured_network_keeps_the_budget(
    monkeypatch, of_here, digits_spec, saved_costs
):
    def latencies_ms(models, example, engine, rounds):
        blocks = sum(isinstance(layer, DynamicConv2d | DynamicReLU) for layer in models[1].modules())
        return [1.0, 1.0 + 0.016 * blocks]  # the table says 0.01

    monkeypatch.setattr(choice_module, "paired_engine_latencies_ms", latencies_ms)
    placement = place(digits_spec, 0.1, costs=saved_costs)
    assert placement.measured_share == pytest.approx(0.096)
    assert placement.correction == pytest.approx(1.6)
    assert placement.warnings == ()


def test_a_network_that_stays_above_the_budget_is_warned_of(monkeypatch, of_here, digits_spec, saved_costs):
    monkeypatch.setattr(choice_module, "paired_engine_latencies_ms", lambda *args, **kwargs: [1.0, 1.12])
    (warning,) = place(digits_spec, 0.1, costs=saved_costs).warnings
    assert "add 12.0% to the latency, measured, more than the budget of 10.0%" in warning


def test_another_machines_costs_are_taken_but_not_verified_here(digits_spec, saved_costs):
    placement = place(digits_spec, 0.1, costs=saved_costs)
    assert len(placement.dynamic_at) == 10
    assert placement.measured_added_ms is None
    assert placement.warnings == (
        "the costs were measured on a phone; what the blocks add was not measured here",
    )


def test_a_table_of_another_machine_that_lacks_a_block_is_refused(digits_spec, saved_costs):
    with pytest.raises(DataError, match="of litert on 'a phone' lacks"):
        place(replace(digits_spec, width=0.5), 0.1, costs=saved_costs)


def test_a_table_of_another_engine_is_refused(digits_spec, saved_costs):
    with pytest.raises(ValueError, match="costs of 'litert', asked is 'executorch'"):
        place(digits_spec, 0.1, engine="executorch", costs=saved_costs)


def test_a_file_that_is_no_table_is_refused(tmp_path, digits_spec):
    (tmp_path / "costs.json").write_text('{"engine": 3}')
    with pytest.raises(DataError, match="is no table of costs"):
        place(digits_spec, 0.1, costs=tmp_path / "costs.json")


def test_a_static_model_has_nothing_to_place():
    with pytest.raises(ValueError, match="no dynamic block to place"):
        place(ModelSpec("resnet20"), 0.1)


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []
    monkeypatch.setattr(
        "edgekit.search.placement.cost_table.measure_block", lambda block, engine: asked.append(block) or 0.01
    )
    monkeypatch.setattr(
        "edgekit.search.placement.cost_table.paired_engine_latencies_ms",
        lambda *a, **k: asked.append("static") or [1.0],
    )
    spec = ModelSpec("resnet20", num_classes=2, width=0.5, image_size=16, act="dyrelu-b")
    place(spec, 0.1, verify=False)
    assert len(asked) == 3 + 1  # three sizes of map
    place(spec, 0.2, verify=False)
    assert len(asked) == 4
    table, path = default_costs("litert")
    assert load_costs(path) == table
    assert isinstance(table, CostTable)
    assert table.is_of_here()


@pytest.mark.parametrize("engine", ["litert", pytest.param("executorch", marks=pytest.mark.slow)])
def test_a_dynamic_block_costs_more_than_a_static_one(engine):
    block = Block("act", "dyrelu-b", 16, 16, 32, 32, 1, False)
    assert measure_block(block, engine, branches=1) > 0.001


def test_a_larger_network_takes_longer_in_turns():
    nets = [nn.Sequential(*[nn.Conv2d(16, 16, 3, 1, 1) for _ in range(n)]) for n in (1, 8)]
    small_ms, large_ms = paired_engine_latencies_ms(nets, torch.zeros(1, 16, 32, 32), "litert", rounds=3)
    assert large_ms > 3 * small_ms
