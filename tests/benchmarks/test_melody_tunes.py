import numpy as np
import torch

from edgekit.data.tunes import FIRST_PITCH, N_EVENTS, STEPS_PER_BAR, draw_tunes
from edgekit.tasks import Examples
from edgekit.tasks.melody import Melody
from runtime.bundle import Graph, TensorSpec
from runtime.flow.runner import FlowRunner
from tests.benchmarks._melody_tunes import draw, repetition

_OUTPUTS = {"scores": (1, N_EVENTS), "next_hidden": (1, 16), "next_cell": (1, 16)}


def _bar(*pitches: int) -> np.ndarray:
    bar = np.zeros(STEPS_PER_BAR, dtype=np.int16)
    bar[: 4 * len(pitches) : 4] = FIRST_PITCH + np.asarray(pitches)
    return bar


def test_a_rhythm_comes_again_with_other_notes_and_silence_does_not_count():
    tune = np.concatenate([np.zeros(STEPS_PER_BAR, np.int16), _bar(1, 2), _bar(3, 4), _bar(1, 2), _bar(5)])
    assert repetition([tune], 5) == (2 / 4, 1 / 4)


def test_tunes_that_are_too_short_are_not_looked_at():
    assert repetition([_bar(1), np.concatenate([_bar(1), _bar(2)])], 2) == (1 / 2, 0)


def test_the_host_draws_what_the_flow_draws():
    """Both take the likeliest note each time: a draw depends on what is joined alone."""
    task = Melody(width=16, temperature=0.0)
    torch.manual_seed(0)
    net = task.build().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter *= 5  # else one note is the likeliest wherever it stands
    graphs = task.graphs(net, Examples(np.stack(draw_tunes(1)).astype(np.int64), "a tune"))
    outputs = [TensorSpec(name, "float32", shape) for name, shape in _OUTPUTS.items()]
    manifest = {name: Graph(graph.inputs, tuple(outputs)) for name, graph in graphs.items()}

    def eager(name, inputs):
        with torch.inference_mode():
            return [one.numpy() for one in graphs[name].model(*map(torch.from_numpy, inputs))]

    expected = FlowRunner(task.result().flow, manifest, eager).frame({}, count=4).draws["note"]
    (tune,) = draw(net, 1, 4, seed=0, temperature=1e-6)
    assert tune.tolist() == list(expected)
    assert len(set(expected)) > 1
