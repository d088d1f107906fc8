"""Melody: bars' rhythms, beats' rhythms and notes, drawn one after the other on the device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data import Dataset
from edgekit.data.tunes import FIRST_PITCH, LOWEST, N_EVENTS, STEPS_PER_BAR, STEPS_PER_BEAT, TuneDataset
from edgekit.models import ModelSpec
from edgekit.tasks.graph import Examples, Frame, SourceGraph
from edgekit.tasks.melody.level import Level, LevelPlan, LevelStep
from edgekit.tasks.melody.network import BEATS_PER_BAR, MelodyNet, flat_plans, hierarchical_plans
from edgekit.tasks.melody.profiles import Centroids, Profiles, fit_profiles, level_numbers
from edgekit.tasks.task import TASKS, Batch, Net, Task
from runtime.bundle import TensorSpec
from runtime.bundle.flow import Flow, FlowGraph, State, Stop, Token
from runtime.bundle.result import Notes
from runtime.bundle.task import TaskSpec
from runtime.errors import DataError

_MOST_BARS, _BARS = 256, 16
_FRAMES = 8  # of each graph, to check its files on


@dataclass(frozen=True)
class Melody(Task):
    """Tunes of one voice in 4/4; without profiles the flat network that the hierarchy is compared with.

    Attributes:
        bars, beats: centroids of rhythms, see ``Profiles``; ``Melody.of(tunes)`` learns them.
        width: of the notes' LSTM.
        dropout: see ``Level``.
        temperature: of the notes' draws on the device; rhythms are drawn at 1.
        top_k: of the notes' draws; 0: among all.
        flat: learn no rhythms from the data that it is trained on.
    """

    name: ClassVar[str] = "melody"
    metric: ClassVar[str] = "likelihood"
    takes: ClassVar[str] = "a seed"
    gives: ClassVar[str] = "notes"
    paper: ClassVar[str] = "https://arxiv.org/abs/1712.05274"
    data: ClassVar[str] = "tunes, drawn-tunes"
    minutes: ClassVar[float | None] = 0.8  # recipes/melody.yaml
    has_backbone: ClassVar[bool] = False
    bars: Centroids = ()
    beats: Centroids = ()
    width: int = 96
    dropout: float = 0.2
    temperature: float = 0.9
    top_k: int = 8
    flat: bool = False

    @staticmethod
    def of(tunes: Sequence[np.ndarray], *, width: int = 96, seed: int = 0) -> Melody:
        """Return the task with the rhythm profiles of ``tunes``."""
        profiles = fit_profiles(tunes, seed)
        return Melody(profiles.bars, profiles.beats, width)

    @property
    def profiles(self) -> Profiles | None:
        """The rhythm profiles; ``None`` for a flat network."""
        return Profiles(self.bars, self.beats) if self.bars else None

    def plans(self) -> tuple[LevelPlan, ...]:
        """Return the levels from coarse to fine."""
        return hierarchical_plans(self.profiles, self.width) if self.profiles else flat_plans(self.width)

    def view(self, dataset: Dataset | TuneDataset) -> TuneDataset:
        """Return ``dataset`` as it is.

        Raises:
            DataError: it holds no tunes.
        """
        if not isinstance(dataset, TuneDataset):
            raise DataError(
                f"{dataset.name!r} holds no tunes, which {self.name} learns from; train it on tunes"
            )
        return dataset

    def fitted(self, dataset: TuneDataset) -> Melody:
        """Return the task with the rhythms of the tunes to train on, unless it has some or is flat."""
        if self.flat or self.bars:
            return self
        profiles = fit_profiles([events[events >= 0] for events in dataset.train.labels])
        return replace(self, bars=profiles.bars, beats=profiles.beats)

    def build(self, spec: ModelSpec | None = None) -> MelodyNet:
        """Return the network; a tune has no backbone, so ``spec`` is not looked at."""
        return MelodyNet(self.plans(), self.profiles, self.dropout)

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        """Return each level's negative log-likelihood in nats per sixteenth: they add up to the tune's."""
        numbers = level_numbers(batch.targets, self.profiles)
        n_steps = (batch.targets >= 0).sum().clamp(min=1)
        return {
            name: _nll(scores, numbers[name]).sum() / n_steps for name, scores in net(batch.inputs).items()
        }

    def decode(self, outputs: Sequence[np.ndarray], targets: np.ndarray) -> list[float]:
        """Return each tune's log-likelihood in nats, given the levels' scores from coarse to fine."""
        n_steps = outputs[-1].shape[1]  # windows are cut after the longest tune of a batch
        numbers = level_numbers(torch.from_numpy(targets[:, :n_steps]), self.profiles)
        levels = zip(outputs, (numbers[plan.name] for plan in self.plans()), strict=True)
        found = sum(-_nll(torch.from_numpy(scores), wanted).sum(1) for scores, wanted in levels)
        return found.tolist()

    def draws(self, target: np.ndarray) -> dict[str, Sequence[int]]:
        """Return the rhythms of a tune's bars and beats, and its events."""
        numbers = level_numbers(torch.from_numpy(target[None]), self.profiles)
        return {plan.name: numbers[plan.name][0].tolist() for plan in self.plans()}

    def score(self, results: Sequence[float], truths: Sequence[np.ndarray]) -> float:
        """Return the likelihood of a sixteenth, rhythms and note: the geometric mean, in (0, 1)."""
        n_steps = sum(int((events >= 0).sum()) for events in truths)
        return math.exp(sum(results) / max(n_steps, 1))

    def graphs(self, net: nn.Module, examples: Examples) -> dict[str, SourceGraph]:
        """Return one step of each level; ``examples.inputs`` are events, int64 of shape (N, T)."""
        assert isinstance(net, MelodyNet)
        graphs = {}
        for name, rows in net.rows(torch.from_numpy(examples.inputs[:1])).items():
            level = net.levels[name]
            frames = _step_frames(level, rows)
            names = [*rows, "hidden", "cell"]
            inputs = tuple(
                TensorSpec(name, str(array.dtype), array.shape)
                for name, array in zip(names, frames[0], strict=True)
            )
            graphs[name] = SourceGraph(
                LevelStep(level).eval(),
                inputs,
                frames,
                examples.described,
                ("scores", "next_hidden", "next_cell"),
            )
        return graphs

    def result(self, labels: Sequence[str] = ()) -> TaskSpec:
        """Return the flow and the result that a bundle stores; a tune has no ``labels``."""
        plans = self.plans()
        states = tuple(
            State(f"{plan.name}_{kind}", (1, plan.hidden)) for plan in plans for kind in ("hidden", "cell")
        )
        stop = Stop(
            _MOST_BARS * STEPS_PER_BAR, count="bars", steps_per_count=STEPS_PER_BAR, default_count=_BARS
        )
        flow = Flow(tuple(map(self._use, plans)), states=states, stop=stop)
        notes = Notes("note", LOWEST, N_EVENTS - FIRST_PITCH, STEPS_PER_BEAT, BEATS_PER_BAR)
        return TaskSpec(self.name, flow, notes, self.metric)

    def _use(self, plan: LevelPlan) -> FlowGraph:
        name = plan.name
        token = Token(name, "scores")
        if name == "note":
            token = Token(name, "scores", self.temperature, self.top_k)
        return FlowGraph(
            name,
            "step",
            {row.name: row.source for row in plan.rows}
            | {"hidden": f"state:{name}_hidden", "cell": f"state:{name}_cell"},
            {"next_hidden": f"{name}_hidden", "next_cell": f"{name}_cell"},
            token,
            plan.every,
        )


TASKS.register("melody")(Melody)


def _nll(scores: Tensor, numbers: Tensor) -> Tensor:
    """Return the negative log-likelihood of each number, (B, n); 0 after a tune's end."""
    return F.cross_entropy(scores.transpose(1, 2), numbers, ignore_index=-1, reduction="none")


@torch.inference_mode()
def _step_frames(level: Level, rows: Mapping[str, Tensor]) -> tuple[Frame, ...]:
    """Return what a level's step takes in the first steps of a tune, batch 1."""
    step, states = LevelStep(level).eval(), [torch.zeros(1, level.plan.hidden)] * 2
    frames = []
    for run in range(min(_FRAMES, next(iter(rows.values())).shape[1])):
        inputs = [*(row[:1, run] for row in rows.values()), *states]
        frames.append(tuple(one.numpy().copy() for one in inputs))
        _, *states = step(*inputs)
    return tuple(frames)
