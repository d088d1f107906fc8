import math

import numpy as np
import pytest
import torch

from edgekit.data.tunes import FIRST_PITCH, N_EVENTS, STEPS_PER_BAR, draw_tunes
from edgekit.tasks import TASKS, Batch, Examples
from edgekit.tasks.melody import Melody
from edgekit.tasks.melody.level import LevelStep
from edgekit.tasks.melody.profiles import fit_profiles, level_numbers


@pytest.fixture(scope="module")
def tunes() -> list[np.ndarray]:
    return draw_tunes(40)


@pytest.fixture(scope="module")
def task(tunes) -> Melody:
    return Melody.of(tunes, width=16)


def _events(tunes, n: int) -> torch.Tensor:
    return torch.from_numpy(np.stack(tunes[:n]).astype(np.int64))


def _net(task):
    torch.manual_seed(0)
    return task.build().eval()


def test_bars_of_one_rhythm_have_one_profile_whatever_their_pitches(tunes, task):
    profiles = fit_profiles(tunes)
    bar = np.zeros(STEPS_PER_BAR, dtype=np.int64)
    bar[[0, 4, 8, 12]] = FIRST_PITCH + 10
    higher, other = np.where(bar, bar + 5, 0), np.roll(bar, 2)
    numbers = level_numbers(torch.from_numpy(np.concatenate([bar, higher, other]))[None], profiles)
    first, second, third = numbers["bar"][0].tolist()
    assert first == second != third
    assert numbers["beat"].shape == (1, 12)


def test_after_a_tune_s_end_nothing_is_scored(tunes, task):
    events = _events(tunes, 1)
    padded = torch.cat([events, torch.full((1, 32), -1)], dim=1)
    net = _net(task)
    short, long = (task.losses(net, Batch(one, one)) for one in (events, padded))
    assert {name: float(loss) for name, loss in long.items()} == pytest.approx(
        {name: float(loss) for name, loss in short.items()}, rel=1e-5
    )


def test_no_level_sees_what_it_is_to_draw(tunes, task):
    events = _events(tunes, 1)
    changed = events.clone()
    changed[0, 40:] = FIRST_PITCH
    net = _net(task)
    before, after = net(events), net(changed)
    # Notes up to step 40 depend on earlier ones, and on the rhythm of their own bar, which begins at 32.
    torch.testing.assert_close(before["note"][:, :32], after["note"][:, :32])
    torch.testing.assert_close(before["bar"][:, :3], after["bar"][:, :3])
    assert not torch.allclose(before["note"][:, 41:], after["note"][:, 41:])


def test_the_step_graphs_give_the_scores_of_the_whole_sequence(tunes, task):
    net = _net(task)
    events = _events(tunes, 1)
    graphs = task.graphs(net, Examples(events.numpy(), "a tune"))
    expected = net(events)
    assert list(graphs) == ["bar", "beat", "note"]
    for name, graph in graphs.items():
        for number, frame in enumerate(graph.frames):
            scores, _, _ = graph.model(*map(torch.from_numpy, frame))
            torch.testing.assert_close(scores[0], expected[name][0, number], atol=1e-5, rtol=0)


def test_the_flow_joins_every_input_of_every_graph(tunes, task):
    graphs = task.graphs(_net(task), Examples(_events(tunes, 1).numpy(), "a tune"))
    stored = task.result()
    from runtime.bundle.joins import check_task
    from runtime.bundle.tensors import Graph, TensorSpec

    manifest = {
        name: Graph(
            graph.inputs,
            tuple(
                TensorSpec(output, "float32", tuple(tensor.shape))
                for output, tensor in zip(
                    graph.output_names, graph.model(*map(torch.from_numpy, graph.frames[0])), strict=True
                )
            ),
        )
        for name, graph in graphs.items()
    }
    check_task(stored, manifest)


def test_a_few_steps_make_tunes_likelier(tunes):
    task = Melody.of(tunes, width=16)
    net = _net(task)
    events = _events(tunes, 40)
    before = _likelihood(task, net, events)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    for _ in range(15):
        optimizer.zero_grad()
        sum(task.losses(net.train(), Batch(events, events)).values()).backward()
        optimizer.step()
    assert _likelihood(task, net.eval(), events) > 1.5 * before


def test_the_score_is_the_losses_likelihood(tunes, task):
    net, events = _net(task), _events(tunes, 3)
    losses = task.losses(net, Batch(events, events))
    assert _likelihood(task, net, events) == pytest.approx(
        math.exp(-sum(float(loss) for loss in losses.values())), rel=1e-5
    )


def test_a_flat_network_has_the_level_of_notes_alone(tunes):
    flat = TASKS.get("melody")(width=16)
    scores = flat.build()(_events(tunes, 2))
    assert {name: tuple(one.shape) for name, one in scores.items()} == {"note": (2, 128, N_EVENTS)}


def test_a_level_s_fixed_tables_are_not_trained(task):
    net = task.build()
    tables = [one for level in net.levels.values() for one in level.tables.parameters()]
    assert tables
    assert not any(one.requires_grad for one in tables)
    assert LevelStep(net.levels["note"]).level is net.levels["note"]


def _likelihood(task, net, events) -> float:
    with torch.inference_mode():
        outputs = [scores.numpy() for scores in net(events).values()]
    return task.score(task.decode(outputs, events.numpy()), list(events.numpy()))
