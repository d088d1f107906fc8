"""UOut: uniform noise in place of dropout, which leaves the variance of its input nearly as it is.

Paper: Li et al., "Understanding the Disharmony between Dropout and Batch Normalization by Variance
Shift", https://arxiv.org/abs/1801.05134, section 4: x' = x + x r with r from U(-beta, beta). Variance in
testing over that in training is 3 / (3 + beta^2), 0.997 for beta = 0.1, where dropout's is 1 - p.
"""

from __future__ import annotations

import torch
from torch import nn


class UOut(nn.Module):
    """Multiply each number by one of its own from U(1 - beta, 1 + beta) in training; do nothing else.

    Args:
        beta: half the width of the noise.

    Raises:
        ValueError: ``beta`` is negative.
    """

    def __init__(self, beta: float = 0.1):
        super().__init__()
        if not 0 <= beta < float("inf"):
            raise ValueError(f"UOut: beta is {beta}; it must be 0 or more")
        self.beta = beta

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the noisy input, of the same shape."""
        if not (self.training and self.beta):
            return x
        return x * torch.empty_like(x).uniform_(1 - self.beta, 1 + self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"
