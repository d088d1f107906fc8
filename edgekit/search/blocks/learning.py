"""Learning which blocks are best while their weights learn: paths by lot, and scores by gradients.

Weights and scores learn in turns, as in ProxylessNAS (Cai et al., https://arxiv.org/abs/1812.00332): a
step of the weights has one candidate per place, drawn by its probability. A step of the scores has two,
of which one passes; the gradient of its gate, straight through, tells which helps more on images that
the weights do not learn from. Latency above the budget costs: mu * log(expected latency / budget).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from edgekit.data import Split
from edgekit.search.blocks.costs import BlockCosts
from edgekit.search.blocks.supernet import Place, places_of
from edgekit.tasks import Batch, Classification, Net, total
from edgekit.training import Hook, Training
from edgekit.training.loader import tensors_of


@dataclass(frozen=True)
class SomeClasses(Classification):
    """Classification among ``classes`` alone: logits of others are left out, the network stays as it is."""

    classes: tuple[int, ...] = ()

    def losses(self, net: Net, batch: Batch) -> Mapping[str, Tensor]:
        known = torch.tensor(self.classes, device=batch.targets.device)
        among = Batch(batch.inputs, torch.searchsorted(known, batch.targets))
        return super().losses(lambda inputs: net(inputs)[:, known], among)

    def decode(self, outputs: Sequence[np.ndarray], targets: np.ndarray) -> np.ndarray:
        known = list(self.classes)
        scores = np.full_like(outputs[0], -np.inf)
        scores[:, known] = outputs[0][:, known]
        return super().decode([scores], targets)


class BlockLearning(Hook):
    """Draws the path of each step, and lets the scores learn.

    Args:
        split: images that scores learn from.
        costs, budget_ms: of candidates; what is allowed.
        every: steps of the weights for one of the scores; 0: scores do not learn.
        lr: of the scores.
        mu: what the logarithm of latency above the budget costs.
        stage: of the search; its draws are its own.
    """

    def __init__(
        self,
        split: Split,
        costs: BlockCosts,
        budget_ms: float,
        *,
        every: int,
        lr: float,
        mu: float,
        stage: int,
    ):
        self.split, self.costs, self.budget_ms = split, costs, budget_ms
        self.every, self.lr, self.mu, self.stage = every, lr, mu, stage
        self.block_images = 0
        self._places: list[Place] = []

    def prepare(self, model: nn.Module) -> None:
        self._places = places_of(model)

    def on_train_begin(self, run: Training) -> None:
        # No momentum: a score gets no gradient from steps in which it has no part.
        self._adam = torch.optim.Adam([place.score for place in self._places], lr=self.lr, betas=(0.0, 0.999))
        for place in self._places:
            place.take_count()
        _begin_momentum(run.optimizer)

    def on_step_begin(self, run: Training) -> None:
        draws = self._draws(run, 0)
        for place in self._places:
            place.take([_draw(place.score.softmax(0), draws)])

    def on_step_end(self, run: Training) -> None:
        if self.every and (run.step + 1) % self.every == 0:
            self._learn(run)

    def on_epoch_end(self, run: Training) -> None:
        for place in self._places:
            place.path = ()  # tests are of the likeliest blocks

    def metrics(self, run: Training) -> dict[str, float]:
        """Return the expected latency and what was computed so far."""
        self.block_images += sum(place.take_count() for place in self._places)
        return {"expected_ms": round(float(self._expected_ms()), 6), "block_images": self.block_images}

    def _learn(self, run: Training) -> None:
        """Make one step of the scores, on a batch drawn by lot."""
        draws = self._draws(run, 1)
        size = min(run.recipe.batch_size, len(self.split))
        batch = tensors_of(self.split, draws.permutation(len(self.split))[:size], run.device)
        scores = [place.score for place in self._places]
        with torch.enable_grad():
            for place in self._places:
                place.score.requires_grad_(True)
                _take_two(place, draws)
            loss = total(run.task.losses(run.forward, batch))
            above = torch.log(self._expected_ms() / self.budget_ms).clamp(min=0)
            gradients = torch.autograd.grad(loss + self.mu * above, scores, allow_unused=True)
        for score, gradient in zip(scores, gradients, strict=True):
            score.grad = gradient
        self._adam.step()
        for score in scores:
            score.grad = None
            score.requires_grad_(False)

    def _expected_ms(self) -> Tensor:
        total = torch.tensor(self.costs.base_ms)
        for place, costs in zip(self._places, self.costs.places, strict=True):
            ms = torch.tensor([costs[name] for name in place.names], device=place.score.device)
            total = total.to(ms.device) + (place.score.softmax(0) * ms).sum()
        return total

    def _draws(self, run: Training, what: int) -> np.random.Generator:
        return np.random.default_rng((run.recipe.seed, self.stage, run.step, what))

    def state_dict(self) -> dict[str, Tensor]:
        state = self._adam.state_dict()["state"]
        buffers = {f"{i}/{name}": value for i, values in state.items() for name, value in values.items()}
        return {"block_images": torch.tensor(self.block_images), **buffers}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.block_images = int(state["block_images"])
        buffers: dict[int, dict[str, Tensor]] = {}
        for path, value in state.items():
            index, slash, name = path.partition("/")
            if slash:
                buffers.setdefault(int(index), {})[name] = value.clone()
        self._adam.load_state_dict({**self._adam.state_dict(), "state": buffers})


def _begin_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Give every weight a momentum of 0: fused SGD (torch 2.13) fails where some have one and others none.

    Without it a candidate that is drawn for the first time in a later step would be such a one.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"] if group.get("momentum") else ():
            optimizer.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))


def _take_two(place: Place, draws: np.random.Generator) -> None:
    """Let two candidates of ``place`` work, drawn by their probabilities; one passes, by lot between both."""
    if len(place.names) == 1:
        place.take([0])
        return
    p = place.score.detach().softmax(0)
    first = _draw(p, draws)
    others = p.clone()
    others[first] = 0
    rows = [first, _draw(others, draws)]
    share = place.score[rows].softmax(0)
    passes = torch.zeros_like(share)
    passes[_draw(share.detach(), draws)] = 1
    place.take(rows, passes + share - share.detach())


def _draw(weights: Tensor, draws: np.random.Generator) -> int:
    """Return a row drawn by its weight."""
    p = weights.double().cpu().numpy()
    return int(draws.choice(len(p), p=p / p.sum()))


def kept_candidates(
    probabilities: Sequence[Mapping[str, float]], best: Sequence[str], tau: float
) -> list[list[str]]:
    """Return the candidates that stay at each place: all but those far less likely than the others.

    Args:
        probabilities: of each candidate that is left.
        best: blocks of the best network within the budget; they stay, so that there always is one.
        tau: one goes when it is less likely than ``tau`` times the mean of its place.
    """
    return [
        [name for name, p in names.items() if p >= tau / len(names) or name == kept]
        for names, kept in zip(probabilities, best, strict=True)
    ]
