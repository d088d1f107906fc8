"""Route constrained optimisation: the student follows its teacher's way, from easy to hard.

Paper: Jin et al., "Knowledge Distillation via Route Constrained Optimization",
https://arxiv.org/abs/1904.09149: the teacher's checkpoints C_1, ..., C_n ("anchors") are the student's
teachers one after the other, each from the weights it has by then, ending with the finished teacher.
Anchors are at equal intervals of epochs (the paper's EEI), or found by its greedy search: see
``route_search``. Each anchor gets an equal share of the epochs, and the learning rate starts again. The
loss is that of ``kd``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from edgekit.training.hooks import Hook, Training
from edgekit.training.schedule import learning_rate
from edgekit.training.technique import register_technique
from edgekit.training.techniques.distillation import Distillation
from edgekit.training.techniques.route import route_of
from edgekit.training.techniques.route_search import next_anchor
from edgekit.training.weights import load_weights
from runtime.errors import CheckpointError


@register_technique("rco")
class RouteConstrained(Distillation):
    """Distils from the anchors of a teacher that was trained with ``route``.

    Args:
        teacher: its folder.
        anchors: how many, at equal intervals, the finished teacher the last; default: all there are.
            One anchor is ``kd``.
        temperature, weight: as of ``kd``.
        greedy: choose each next anchor by how hard it is for the student, which may have as many as
            ``anchors``; the threshold of the search, 0.8 for example. Default: equal intervals.

    Raises:
        ValueError: a number is out of range.
        CheckpointError: the teacher kept fewer anchors, or ``kd`` could not use it.
    """

    def __init__(
        self,
        teacher: str,
        anchors: int | None = None,
        temperature: float = 4.0,
        weight: float = 0.9,
        greedy: float | None = None,
    ):
        super().__init__(teacher, temperature, weight)
        if greedy is not None and not 0 < greedy <= 1:
            raise ValueError(f"rco: greedy is {greedy}; the threshold must be above 0, at most 1")
        way = route_of(self.checkpoint.path)
        count = len(way) + 1 if anchors is None else anchors
        if not 1 <= count <= len(way) + 1 or (anchors is None and not way):
            raise CheckpointError(
                f"the teacher {teacher} has {len(way)} anchors on its route and its finished network, asked "
                f"are {'several' if anchors is None else anchors}; train it with --use route:anchors=N"
            )
        finished = {name: tensor.clone() for name, tensor in self.teacher.state_dict().items()}
        states = [*(self._read(path) for path in way), finished]
        self.states, self.greedy = states, greedy
        self.anchors = [-(-len(states) * i // count) - 1 for i in range(1, count + 1)]

    def _read(self, path) -> dict[str, Tensor]:
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as err:
            raise CheckpointError(f"{path} is damaged ({err}); train the teacher again") from err
        load_weights(self.teacher, tensors, str(path))  # of this network?
        return tensors

    def hooks(self) -> Sequence[Hook]:
        return (*super().hooks(), _FollowRoute(self))


class _FollowRoute(Hook):
    """Changes the teacher's weights from anchor to anchor, and restarts the learning rate.

    ``followed``: the anchors so far, as places on the teacher's route.
    """

    def __init__(self, technique: RouteConstrained):
        self.technique = technique
        self.followed: list[int] = []

    def on_train_begin(self, run: Training) -> None:
        if len(self.technique.anchors) > run.recipe.epochs:
            raise ValueError(
                f"rco: {len(self.technique.anchors)} anchors do not fit in {run.recipe.epochs} epochs; train "
                "for more epochs, or give fewer anchors"
            )

    def on_epoch_begin(self, run: Training) -> None:
        it = self.technique
        turn = anchor_of(run.epoch, run.recipe.epochs, len(it.anchors))
        if turn == len(self.followed):
            self.followed.append(self._next(run, turn))
        it.teacher.load_state_dict(it.states[self.followed[turn]])

    def _next(self, run: Training, turn: int) -> int:
        it = self.technique
        if it.greedy is None or turn in (0, len(it.anchors) - 1):
            return it.anchors[turn]
        return next_anchor(run, it.teacher, it.states, self.followed[-1], it.temperature, it.greedy)

    def state_dict(self) -> dict[str, Tensor]:
        return {"followed": torch.tensor(self.followed, dtype=torch.int64)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.followed = state["followed"].tolist()

    def on_step_begin(self, run: Training) -> None:
        epochs, count = run.recipe.epochs, len(self.technique.anchors)
        anchor = anchor_of(run.epoch, epochs, count)
        first, end = (-(-epochs * i // count) for i in (anchor, anchor + 1))
        rate = learning_rate(
            run.step - first * run.steps_per_epoch,
            steps=(end - first) * run.steps_per_epoch,
            warmup_steps=min(run.recipe.warmup_epochs, end - first - 1) * run.steps_per_epoch,
            peak=run.recipe.lr,
        )
        for group in run.optimizer.param_groups:
            group["lr"] = rate


def anchor_of(epoch: int, epochs: int, count: int) -> int:
    """Return which of ``count`` anchors teaches in ``epoch`` of ``epochs``.

    Example:
        >>> [anchor_of(epoch, 6, 4) for epoch in range(6)]
        [0, 0, 1, 2, 2, 3]
    """
    return epoch * count // epochs
