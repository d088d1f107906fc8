"""What a melody network's exported steps do: delegates, latency, int8, the tune of the eager loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgekit.data.tunes import STEPS_PER_BAR, TuneDataset
from edgekit.export import export_bundle
from edgekit.export.graph import Origin
from edgekit.tasks import Examples
from edgekit.tasks.melody import Melody
from edgekit.tasks.melody.network import MelodyNet
from runtime.bundle import ENGINES, Bundle
from runtime.flow.runner import FlowFrame, FlowRunner
from runtime.flow.sessions import open_graphs
from runtime.flow.variants import choose_variants
from runtime.govern.run.run import kernel_setting
from runtime.targets import open_target

_INT8 = "dynamic_wi8_afp32"
_BARS = 64
_SEED = 7
_N_TUNES = 12  # to compare int8's likelihoods on: 2,000 sixteenths


def files_of(task: Melody, net: MelodyNet, dataset: TuneDataset, place: Path) -> dict[str, dict[str, Any]]:
    """Return of each engine what its files of ``net`` come to; the bundle stays in ``place``."""
    examples = Examples(dataset.test.batch([0])[0], "a test tune")
    graphs = task.graphs(net, examples)
    origin = Origin("tunes", graphs, (), {}, task)
    bundle = export_bundle(origin, place / "tunes.edgekit", precisions=("fp32", _INT8), overwrite=True)
    models = {name: graph.model for name, graph in graphs.items()}

    def eager(name: str, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        with torch.inference_mode():
            return [one.numpy() for one in models[name](*map(torch.from_numpy, inputs))]

    expected = FlowRunner(task.result().flow, bundle.manifest.graphs, eager).frame(
        {}, count=_BARS, seed=_SEED
    )
    return {engine: _engine(task, dataset, bundle, engine, expected) for engine in ENGINES}


def _engine(
    task: Melody, dataset: TuneDataset, bundle: Bundle, engine: str, expected: FlowFrame
) -> dict[str, Any]:
    flow, manifest = task.result().flow, bundle.manifest
    target = open_target("local")
    nlls = {}
    for precision in ("fp32", _INT8):
        names = [v.name for v in manifest.variants if (v.engine, v.precision) == (engine, precision)]
        variants = choose_variants(manifest, flow, names)
        with open_graphs(bundle, target, kernel_setting(target), variants) as sessions:
            runner = FlowRunner(flow, manifest.graphs, sessions.run)
            nlls[precision] = _nll(task, runner, dataset)
            if precision != "fp32":
                continue
            sessions.take_times()
            start = time.perf_counter()
            frame = runner.frame({}, count=_BARS, seed=_SEED)
            wall_ms = (time.perf_counter() - start) * 1e3
            times = sessions.take_times()
            graphs_ms = sum(map(sum, times.values()))
            delegations = [variant.delegation for variant in variants.values()]
            macs = {name: bundle.workload(variant).macs for name, variant in variants.items()}
    steps = _BARS * STEPS_PER_BAR
    return {
        "one_delegate": all(one.is_in_one for one in delegations),
        "step_ms": sum(len(one) * float(np.median(one)) for one in times.values()) / steps,
        "step_macs": sum(len(times[name]) * macs[name] for name in times) / steps,
        "same_tune": frame.draws == expected.draws,
        "closest": frame.closest,
        "real_time_share": wall_ms / (_BARS * 2000),  # a bar of 4/4 lasts two seconds at 120 beats a minute
        "pre_post_share": 1 - graphs_ms / wall_ms,
        "int8_loss": nlls[_INT8] / nlls["fp32"] - 1,
    }


def _nll(task: Melody, runner: FlowRunner, dataset: TuneDataset) -> float:
    """Return the files' negative log-likelihood of test tunes, in nats per sixteenth."""
    found, truths = [], []
    for number in range(_N_TUNES):
        events, _ = dataset.test.batch([number])
        scores = runner.frame({}, forced=task.draws(events[0])).scores
        found += task.decode([one[None] for one in scores.values()], events)
        truths += list(events)
    return -float(np.log(task.score(found, truths)))
