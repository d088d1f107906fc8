"""A whole search: what it costs, what it keeps, and what is made of its result."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from edgekit.models import build_model
from edgekit.search.blocks import run as run_module
from edgekit.search.blocks import search, space_of
from edgekit.training import load_recipe_file
from runtime.errors import CheckpointError, DataError
from tests.edgekit.search.blocks.conftest import PLAN, RECIPE


def find(folder, spec, digits, timing, plan=PLAN, recipe=RECIPE, latency="80%", **how):
    return search(spec, digits, recipe, folder, latency=latency, timing=timing, plan=plan, **how)


@pytest.fixture(scope="module")
def found(tmp_path_factory, spec, digits, timing):
    folder = tmp_path_factory.mktemp("search") / "run"
    return folder, find(folder, spec, digits, timing)


def test_the_network_is_within_the_latency(found, spec, timing):
    result = found[1]
    network, example = build_model(result.spec), torch.zeros(1, 1, 8, 8)
    assert timing.latency_ms(network, example) == pytest.approx(result.latency_ms)
    assert result.latency_ms <= result.budget_ms
    assert result.budget_ms == pytest.approx(0.8 * timing.latency_ms(build_model(spec), example))


def test_candidates_never_rise_and_never_run_out(found, spec):
    left = [space_of(spec, PLAN.candidates).candidates, *(stage.candidates for stage in found[1].stages)]
    for before, after in pairwise(left):
        assert all(set(a) <= set(b) and a for a, b in zip(after, before, strict=True))
    assert sum(map(len, left[-1])) < sum(map(len, left[0]))
    assert all(choice in names for choice, names in zip(found[1].choices, left[-1], strict=True))


def test_classes_and_images_never_fall(found):
    stages = found[1].stages
    assert [len(stage.classes) for stage in stages] == [10, 2, 4, 7, 10]
    assert all(set(a.classes) <= set(b.classes) and a.images <= b.images for a, b in pairwise(stages[1:]))


def test_it_computes_at_most_half_of_the_same_search_on_all_data(found, spec, digits, timing, tmp_path):
    everything = replace(PLAN, shares=(1.0,) * 5)
    recipe = replace(RECIPE, epochs=13)
    few, full = (
        find(tmp_path / str(i), spec, digits, timing, plan=plan, recipe=recipe)
        for i, plan in enumerate((PLAN, everything))
    )
    assert few.block_images <= 0.5 * full.block_images
    assert few.cost_share == pytest.approx(
        few.block_images / full.block_images, abs=0.15
    )  # batches are whole


def test_the_recipe_trains_the_network_that_was_found(found):
    folder, result = found
    file = load_recipe_file(folder / "found.yaml")
    assert file.model == result.spec.name
    assert file.data == "digits"
    assert file.named.model["choices"] == result.choices
    assert file.named.model["width"] == result.spec.width
    steps = file.named.recipe
    assert (steps.optimizer, steps.lr, steps.batch_size) == ("adamw", 3e-3, 16)


def test_a_search_that_was_killed_ends_with_the_same_network(
    found, spec, digits, timing, tmp_path, monkeypatch
):
    class Killed(run_module.BlockLearning):
        def on_epoch_end(self, run):
            super().on_epoch_end(run)
            if self.stage == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "BlockLearning", Killed)
    with pytest.raises(KeyboardInterrupt):
        find(tmp_path / "run", spec, digits, timing)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="holds a search already; pass --resume"):
        find(tmp_path / "run", spec, digits, timing)
    result = find(tmp_path / "run", spec, digits, timing, resume=True)
    assert replace(result, duration_s=0) == replace(found[1], duration_s=0)
    assert not list((tmp_path / "run").glob("*/trainer.safetensors"))


def test_a_finished_search_is_returned_and_not_taken_for_another(found, spec, digits, timing):
    folder, result = found
    assert find(folder, spec, digits, timing, resume=True) == result
    with pytest.raises(CheckpointError, match="with latency '80%', asked is '70%'"):
        find(folder, spec, digits, timing, resume=True, latency="70%")


def test_a_latency_that_cannot_be_met_is_refused_before_training(spec, digits, timing, tmp_path):
    with pytest.raises(ValueError, match="cannot be met: the fastest blocks make"):
        find(tmp_path / "run", spec, digits, timing, latency="1%")
    assert not (tmp_path / "run" / "stage0").exists()


def test_a_budget_that_decides_nothing_is_told(found):
    assert found[1].warnings == ()
    assert "every network of the space is within" in replace(found[1], budget_ms=1e6).warnings[0]


def test_a_search_that_prefers_no_block_is_told(found):
    alike = ({"own": 0.4, "skip": 0.3, "k3e3": 0.3},)
    assert "the search learnt next to nothing" in replace(found[1], probabilities=alike).warnings[0]


def test_what_a_search_cannot_use_is_refused(spec, digits, timing, tmp_path):
    for change, message in (({"devices": 2}, "give 1"), ({"use": {"ema": {}}}, "trains without ema")):
        with pytest.raises(ValueError, match=message):
            find(tmp_path / "run", spec, digits, timing, recipe=replace(RECIPE, **change))
    with pytest.raises(DataError, match="would be kept for judging"):
        find(tmp_path / "run", spec, digits, timing, recipe=replace(RECIPE, limit=10))
