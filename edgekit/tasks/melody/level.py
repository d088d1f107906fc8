"""One level of a melody network: an LSTM over bars, beats or sixteenths, as a sequence and as one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgekit.nn.step_lstm import StepLSTM

States = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Row:
    """An input: zeros with a 1 at a number's place.

    Attributes:
        name: of the graph's input.
        size: how many numbers there are.
        source: where the number comes from, as a flow says it: ``token:note@16``, ``position:16``.
    """

    name: str
    size: int
    source: str


@dataclass(frozen=True)
class Product:
    """The product of two rows, each first exchanged for its line of a fixed table, where there is one.

    Two like rows: what stood at both places. A profile's line times a position: the profile's value there.
    """

    first: str
    second: str
    first_table: tuple[tuple[float, ...], ...] = ()
    second_table: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class LevelPlan:
    """What a level reads and gives.

    Attributes:
        name: of its token and its graph.
        every: it draws a number at each step that this divides.
        n_values: numbers it draws among.
        hidden: width of its LSTM.
        embedded: width of what its inputs are summed into.
    """

    name: str
    every: int
    n_values: int
    rows: tuple[Row, ...]
    products: tuple[Product, ...]
    hidden: int
    embedded: int


class Level(nn.Module):
    """Linear maps of rows and products, summed; an LSTM; scores of the numbers to draw.

    Summed, not joined: XNNPACK joins at most five tensors.

    Args:
        dropout: share of the summed inputs and of the LSTM's outputs that training leaves out.
    """

    def __init__(self, plan: LevelPlan, dropout: float = 0.0):
        super().__init__()
        self.plan = plan
        sizes = {row.name: row.size for row in plan.rows}
        self.of_rows = nn.ModuleList(
            nn.Linear(row.size, plan.embedded, bias=i == 0) for i, row in enumerate(plan.rows)
        )
        self.tables = nn.ModuleList(
            nn.ModuleList([_fixed(one.first_table), _fixed(one.second_table)]) for one in plan.products
        )
        self.of_products = nn.ModuleList(
            nn.Linear(
                len(one.first_table[0]) if one.first_table else sizes[one.first], plan.embedded, bias=False
            )
            for one in plan.products
        )
        self.lstm = nn.LSTM(plan.embedded, plan.hidden, batch_first=True)
        self.scores = nn.Linear(plan.hidden, plan.n_values)
        self.dropout = nn.Dropout(dropout)

    def embed(self, rows: Mapping[str, Tensor]) -> Tensor:
        """Return the summed inputs, shape (..., embedded), of rows of shape (..., size)."""
        parts = [linear(rows[row.name]) for linear, row in zip(self.of_rows, self.plan.rows, strict=True)]
        for one, linear, (first, second) in zip(
            self.plan.products, self.of_products, self.tables, strict=True
        ):
            parts.append(linear(first(rows[one.first]) * second(rows[one.second])))
        summed = parts[0]
        for part in parts[1:]:
            summed = summed + part
        return torch.relu(summed)

    def forward(self, rows: Mapping[str, Tensor]) -> Tensor:
        """Return scores of shape (B, n, n_values) of rows of shape (B, n, size)."""
        outputs, _ = self.lstm(self.dropout(self.embed(rows)))
        return self.scores(self.dropout(outputs))


class LevelStep(nn.Module):
    """One step of a trained level, to be exported: rows, hidden and cell in; scores, hidden, cell out."""

    def __init__(self, level: Level):
        super().__init__()
        self.level = level
        self.step = StepLSTM(level.lstm)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores (1, n_values), hidden and cell (1, hidden) each."""
        *rows, hidden, cell = inputs
        names = [row.name for row in self.level.plan.rows]
        summed = self.level.embed(dict(zip(names, rows, strict=True)))
        hidden, cell = self.step(summed, hidden, cell)
        return self.level.scores(hidden), hidden, cell


def _fixed(table: Sequence[Sequence[float]]) -> nn.Module:
    """Return what exchanges a row for its line of ``table``; a frozen Linear, as delegates take no buffer."""
    if not table:
        return nn.Identity()
    linear = nn.Linear(len(table), len(table[0]), bias=False)
    linear.weight = nn.Parameter(torch.tensor(table).T.contiguous(), requires_grad=False)
    return linear
