"""A melody's three step graphs as files: one delegate each, and the tune of the eager loop."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import main
from edgekit.data.tunes import draw_tunes
from edgekit.export import export_bundle
from edgekit.export.graph import Origin
from edgekit.tasks import Examples
from edgekit.tasks.melody import Melody
from runtime.bundle import Bundle
from runtime.flow.runner import FlowRunner
from runtime.flow.sessions import open_graphs
from runtime.flow.variants import choose_variants
from runtime.govern.run.run import kernel_setting
from runtime.targets import open_target
from tests.once import make_once

_BARS, _SEED = 64, 7
pytestmark = pytest.mark.slow  # six files are exported


def _made():
    tunes = draw_tunes(40)
    task = Melody.of(tunes, width=16)
    torch.manual_seed(0)
    net = task.build().eval()
    with torch.no_grad():
        for level in net.levels.values():
            level.scores.weight *= 8  # scores that differ, as those of a trained network
    return task, task.graphs(net, Examples(np.stack(tunes[:1]).astype(np.int64), "a drawn tune"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    def make(folder):
        task, graphs = _made()
        export_bundle(Origin("tunes", graphs, (), {}, task), folder / "tunes.edgekit")

    return Bundle.open(make_once(tmp_path_factory, "melody-bundle", make) / "tunes.edgekit")


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_a_file_draws_the_tune_of_the_eager_loop_note_for_note(bundle, engine):
    manifest = bundle.manifest
    _, graphs = _made()

    def eager(name, inputs):
        with torch.inference_mode():
            return [one.numpy() for one in graphs[name].model(*map(torch.from_numpy, inputs))]

    flow = manifest.task.flow
    expected = FlowRunner(flow, manifest.graphs, eager).frame({}, count=_BARS, seed=_SEED)
    names = [variant.name for variant in manifest.variants if variant.engine == engine]
    target = open_target("local")
    variants = choose_variants(manifest, flow, names)
    with open_graphs(bundle, target, kernel_setting(target), variants) as sessions:
        frame = FlowRunner(flow, manifest.graphs, sessions.run).frame({}, count=_BARS, seed=_SEED)
    assert frame.draws == expected.draws
    assert {name: len(drawn) for name, drawn in frame.draws.items()} == {"bar": 64, "beat": 256, "note": 1024}


def test_every_graph_is_in_one_delegate(bundle):
    for variant in bundle.manifest.variants:
        assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ()), variant.name


def test_a_tune_is_written_and_seen(bundle, tmp_path):
    outs = [tmp_path / "tune.mid", tmp_path / "tune.png", tmp_path / "tune.json"]
    args = ["run", bundle.path, "--seed", 7, "--bars", 2, *(part for out in outs for part in ("-o", out))]
    done = CliRunner().invoke(main, list(map(str, args)))
    assert done.exit_code == 0, done.output
    assert outs[0].read_bytes()[:4] == b"MThd"
    assert outs[1].read_bytes()[1:4] == b"PNG"
    assert json.loads(outs[2].read_text())
