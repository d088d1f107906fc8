"""What a compiled cell of NAS-Bench-201 computes, counted from its string.

A cell is a graph of four nodes (https://arxiv.org/abs/2001.00326): node 0 is the input, each later node
the sum of operations on earlier ones, node 3 the output. The string lists the operations by the node
they lead to: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``.

What an inference engine runs is less than what the string lists:

* ``none`` gives zeros; an operation on zeros is still run, as its input is a constant;
* what does not lead to the output is dropped, except for a convolution that is multiplied by zero
  (an edge ``none`` that starts where nothing but that convolution ends): converters fold the zero into
  its weights and keep it;
* ``skip_connect`` costs nothing;
* where the output does not depend on the input, all but the last cell's operations are folded away.
"""

from __future__ import annotations

import re

import numpy as np

INPUT, OUTPUT = 0, 3
_EDGE = re.compile(r"([a-z0-9_]+)~(\d)")
_FREE = ("none", "skip_connect")
Term = tuple[str, int, int]  # operation, from, to


class Cell:
    """A cell as terms: what each node is the sum of, skips resolved and zeros left out."""

    def __init__(self, text: str):
        nodes = [_EDGE.findall(part) for part in text.split("+")]
        self.op = {(int(start), node): op for node, edges in enumerate(nodes, 1) for op, start in edges}
        if set(self.op) != {(start, node) for node in (1, 2, 3) for start in range(node)}:
            raise ValueError(f"{text!r} is not a cell of NAS-Bench-201; it reads |op~0|+|op~0|op~1|+...")
        self.terms: dict[int, list[Term | None]] = {INPUT: [None]}  # None: the input itself
        for node in (1, 2, 3):
            self.terms[node] = [term for start in range(node) for term in self._edge(start, node)]

    def _edge(self, start: int, node: int) -> list[Term | None]:
        op = self.op[start, node]
        if op == "none":
            return []
        return self.terms[start] if op == "skip_connect" else [(op, start, node)]

    def is_one_convolution(self, node: int) -> bool:
        """Return whether the node is the output of one convolution and nothing else."""
        terms = self.terms[node]
        return len(terms) == 1 and terms[0] is not None and "conv" in terms[0][0]

    def computed(self) -> set[Term]:
        """Return the operations an engine runs."""
        wanted = list(self.terms[OUTPUT])
        if self.op[2, 3] == "none":
            if self.is_one_convolution(2):
                wanted += self.terms[2]
        elif (self.op[1, 2], self.op[1, 3]) == ("none", "none") and self.is_one_convolution(1):
            wanted += self.terms[1]
        found: set[Term] = set()
        while wanted:
            term = wanted.pop()
            if term is not None and term not in found:
                found.add(term)
                wanted += self.terms[term[1]]
        return found

    def depends_on_input(self, found: set[Term]) -> bool:
        """Return whether anything computed sees the input, or the output is the input."""
        return None in self.terms[OUTPUT] or any(None in self.terms[start] for _, start, _ in found)


def cell_features(texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return counts of what runs, shape (n_cells, n_columns), and the columns' names.

    Columns: each operation where it is run in every cell, each where only the last cell is left, and
    one for the rest of a network that depends on its input.
    """
    cells = [Cell(text) for text in texts]
    ops = sorted({op for cell in cells for op in cell.op.values()} - set(_FREE))
    X = np.zeros((len(cells), 2 * len(ops) + 1))
    for row, cell in zip(X, cells, strict=True):
        found = cell.computed()
        live = cell.depends_on_input(found)
        for op, _, _ in found:
            row[ops.index(op) + (0 if live else len(ops))] += 1
        row[-1] = live
    return X, [*ops, *(f"{op} in the last cell alone" for op in ops), "the rest"]
