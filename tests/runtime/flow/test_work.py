"""Frames on loaded graphs, before any of them counts: warm-up; and targets that cannot run a flow."""

from types import SimpleNamespace

import numpy as np
import pytest

from runtime.engines import Array, Frame
from runtime.errors import DeviceStableError
from runtime.flow.frames import as_frames
from runtime.flow.opening import open_session
from runtime.flow.sessions import GraphSessions
from runtime.flow.work import FlowWork
from tests.runtime.small_flow import ROW, TASK, make_flow


class Counted:
    """Gives a row of ones, and counts its frames."""

    frames = 0

    def run(self, inputs):
        self.frames += 1
        return Frame(1.0, (Array.of(np.ones(ROW, np.float32) + inputs[0]),))


def work(tmp_path, count):
    bundle = make_flow(tmp_path)
    files = {name: bundle.manifest.variant(f"{name}-litert-fp32") for name in ("bar", "note")}
    loaded = {name: Counted() for name in files}
    sessions = GraphSessions(loaded, files, bundle.manifest.graphs)
    return FlowWork(bundle, TASK, sessions, count=count), loaded, sessions


def test_a_flow_that_counts_warms_up_with_one_count_that_leaves_no_trace(tmp_path):
    frames, loaded, sessions = work(tmp_path, count=8)
    frames.warm_up({})
    assert {name: one.frames for name, one in loaded.items()} == {"bar": 1, "note": 4}  # a bar, not eight
    assert sessions.latencies_ms == {"bar": [], "note": []}
    warm = frames.frame({})
    assert {name: len(times) for name, times in warm.times.graphs_ms.items()} == {"bar": 8, "note": 32}
    assert warm.frame.steps == 32
    (tmp_path / "cold").mkdir()
    cold, _, _ = work(tmp_path / "cold", count=8)
    assert warm.frame.draws == cold.frame({}).frame.draws
    assert warm.frame.outputs["note.y"].tolist() == cold.frame({}).frame.outputs["note.y"].tolist()


def test_a_target_that_returns_no_outputs_is_refused_by_what_it_says_of_itself(tmp_path):
    frames = as_frames(make_flow(tmp_path))
    target = SimpleNamespace(name="bridge:7", is_modelled=False, returns_outputs=False)
    with pytest.raises(DeviceStableError, match="bridge:7 returns none; bench each graph alone"):
        open_session(target, frames, frames.manifest.variants[0], None)
