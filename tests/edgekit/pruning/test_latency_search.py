import json

import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.models import ModelSpec
from edgekit.models.cost import work_by_module
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning import Budget, LatencyLimit, Pruning, parse_latency, prune, read_pruning
from edgekit.pruning.latency_search import LATENCY_FILE, MOST_EXPORTS, NEAR, LatencySearch
from edgekit.pruning.layer_costs import LayerCosts
from edgekit.pruning.method import norms
from edgekit.pruning.timing import Timing
from edgekit.training import Recipe, fit_spec, load_checkpoint, train
from runtime.errors import CheckpointError, DeviceTransientError, PruneError
from runtime.measure.interval import Interval
from tests.edgekit.pruning.nets import EXAMPLE, small_model

HALF = LatencyLimit(share=0.6)


class FakeTimer:
    """A machine on which a layer takes as long as it has work, in steps, and each network a little more.

    What it says of layers is wrong by a factor of its own, as a profiler's figures are.
    """

    made = 0
    most = 99  # networks that it times before it is gone

    def __init__(self, limit, example, progress):
        self.example, self.whole_ms, self.layers_ms = example, None, {}

    def time(self, model, what):
        if FakeTimer.made >= FakeTimer.most:
            raise DeviceTransientError("the board is gone; plug it in and run it again")
        FakeTimer.made += 1
        work = work_by_module(model, tuple(self.example.shape[1:]))
        convs = {name: count for name, count in work.items() if name.endswith("conv")}
        true_ms = {name: 1 + (count / 1000) ** 0.8 for name, count in convs.items()}
        ms = 5 + sum(true_ms.values())
        wrong = {name: value * (1 + 0.3 * (i % 3)) for i, (name, value) in enumerate(true_ms.items())}
        self.layers_ms = {name: value * ms / sum(wrong.values()) for name, value in wrong.items()}
        self.whole_ms = self.whole_ms or ms
        around = Interval(0.99 * ms, 1.01 * ms)
        ratio = ms / self.whole_ms
        return Timing(
            ms, around, ratio, Interval(ratio, ratio), "stable", (), "measured", "cpu x1", 1000, 1.0, 1.0
        )

    def close(self):
        pass


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr("edgekit.pruning.cut_timer.CutTimer", FakeTimer)
    monkeypatch.setattr(FakeTimer, "made", 0)
    monkeypatch.setattr(FakeTimer, "most", 99)


def searched(limit, **options):
    model = small_model().eval()
    budget = Budget(latency=limit, round_to=2, **options)
    search = LatencySearch(budget, model, EXAMPLE)
    groups = ChannelGraph(model, EXAMPLE).groups(budget.scope)
    return search, search.counts(groups, norms(model, groups))


@pytest.mark.parametrize(
    ("share", "scope", "part"), [("uniform", "all", 0.5), ("global", "all", 0.7), ("uniform", "inside", 0.9)]
)
def test_a_latency_is_met_closely_with_few_exports(share, scope, part):
    whole_ms = searched(LatencyLimit(ms=300.0))[0].timed[0].timing.latency_ms
    FakeTimer.made = 0
    search, counts = searched(LatencyLimit(ms=part * whole_ms), share=share, scope=scope)
    result = search.result(counts)
    assert NEAR <= result.after.latency_ms / (part * whole_ms) <= 1
    assert result.exports == FakeTimer.made <= MOST_EXPORTS
    assert result.used == result.after.latency_ms / (part * whole_ms)
    assert result.warnings == ()


def test_a_share_is_of_the_networks_own_latency():
    search, counts = searched(HALF)
    result = search.result(counts)
    assert result.limit_ms == 0.6 * result.before.latency_ms
    assert NEAR * 0.6 <= result.after.ratio <= 0.6


def test_multiples_that_leave_nothing_near_are_told():
    model = small_model().eval()
    streams = [group for group in ChannelGraph(model, EXAMPLE).groups("all") if group.channels == 32]
    groups = [max(streams, key=lambda group: len(group.parts))]
    search = LatencySearch(Budget(latency=LatencyLimit(share=0.99), round_to=16), model, EXAMPLE)
    result = search.result(search.counts(groups, norms(model, groups)))
    assert result.used < NEAR
    assert "none nearer was found with multiples of 16 in" in result.warnings[0]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (
            LatencyLimit(ms=1.0),
            r"1 ms on local cannot be met: .* ms \(\d+%\) is the least with scope 'inside'",
        ),
        (LatencyLimit(ms=1e6), "is met already, the network takes"),
    ],
)
def test_limits_that_cannot_be_are_refused(limit, message):
    with pytest.raises(PruneError, match=message):
        searched(limit)


def test_a_table_is_right_where_it_was_timed_and_on_the_line_between():
    costs = LayerCosts()
    costs.add({"a": 10, "b": 4}, {"a": 1.0, "b": 2.0, "other": 0.5})
    costs.add({"a": 20, "b": 4}, {"a": 3.0, "b": 2.0, "other": 0.5})
    assert costs.predict_ms({"a": 10, "b": 4}) == 3.5
    assert costs.predict_ms({"a": 15, "b": 4}) == 4.5


@pytest.mark.parametrize("text", ["12", "ms", "-3ms", "0ms", "1e999ms", "12s", "nanms", "..ms"])
def test_what_is_no_latency_is_refused(text):
    with pytest.raises(ValueError, match=r"is no latency; write 12ms, or 60% of the network's own"):
        parse_latency(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give one of the two"),
        ({"ms": 1.0, "share": 0.5}, "give one of the two"),
        ({"share": 1.0}, "below 100 %"),
        ({"ms": 1.0, "engine": "onnx"}, "allowed: executorch, litert"),
        ({"ms": 1.0, "threads": 0}, "at least 1"),
    ],
)
def test_limits_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        LatencyLimit(**values)


def test_a_recipe_file_gives_a_latency_and_where():
    found = read_pruning({"latency": "12 ms", "target": "virtual:sdm845", "engine": "executorch"}, "file")
    assert found.budget.latency == LatencyLimit(ms=12.0, target="virtual:sdm845", engine="executorch")
    with pytest.raises(ValueError, match="target is for a latency; add latency: 12ms"):
        read_pruning({"macs": "50%", "target": "local"}, "file")


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.5), toy_data)
    recipe = Recipe(epochs=1, batch_size=16, device="cpu")
    return train(spec, toy_data, recipe, tmp_path_factory.mktemp("runs") / "source", progress=False)


def how(method="one-shot", **more):
    return Pruning(method, Budget(latency=HALF, round_to=2, **more), epochs=1, finetune_epochs=1)


def test_a_pruned_checkpoint_tells_how_its_latency_was_met(tmp_path, toy_data, source):
    pruned = prune(source, toy_data, tmp_path / "run", how(), progress=False)
    found = load_checkpoint(pruned.path).pruning["latency"]
    assert NEAR <= found["used"] <= 1
    assert found["after"]["interval_ms"]["low"] < found["after"]["latency_ms"]
    assert found["exports"] <= MOST_EXPORTS
    assert load_checkpoint(pruned.path).pruning["budget"]["latency"]["share"] == 0.6


@pytest.mark.parametrize("more", [{}, {"share": "global"}])
def test_a_run_that_is_resumed_times_nothing_again(tmp_path, toy_data, source, monkeypatch, more):
    whole = prune(source, toy_data, tmp_path / "whole", how(**more), progress=False)
    assert FakeTimer.made <= MOST_EXPORTS

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("edgekit.pruning.run.physically_remove", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prune(source, toy_data, tmp_path / "run", how(**more), progress=False)
    monkeypatch.undo()
    monkeypatch.setattr("edgekit.pruning.cut_timer.CutTimer", None)
    resumed = prune(source, toy_data, tmp_path / "run", how(**more), resume=True, progress=False)
    expected = whole.build().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.build().state_dict().items())


def test_a_target_that_vanishes_leaves_nothing_behind(tmp_path, toy_data, source, monkeypatch):
    monkeypatch.setattr(FakeTimer, "most", 2)
    monkeypatch.setattr("edgekit.data.load_dataset", lambda *_, **__: toy_data)
    place = tmp_path / "run"
    shown = CliRunner().invoke(
        cli, ["prune", str(source.path), "--latency", "60%", "--round-to", "1", "-o", str(place)]
    )
    assert shown.exit_code == 1
    assert shown.stderr.splitlines()[-1] == "Error: the board is gone; plug it in and run it again"
    assert not place.exists()


def test_a_damaged_file_of_latencies_is_refused(tmp_path, toy_data, source):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LATENCY_FILE).write_text(json.dumps([{"counts": 3}]))
    with pytest.raises(CheckpointError, match="does not tell latencies"):
        prune(source, toy_data, tmp_path / "run", how(), resume=True, progress=False)


def test_several_processes_are_refused(tmp_path, toy_data, source):
    recipe = Recipe(epochs=1, device="cpu", devices=2, precision="32-true")
    with pytest.raises(ValueError, match="choose one process, or MACs"):
        prune(source, toy_data, tmp_path / "run", how(), recipe=recipe, progress=False)
