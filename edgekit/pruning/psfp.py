"""Progressive (asymptotic) soft filter pruning: the rate grows from 0, fast at first.

Paper: He et al., "Asymptotic Soft Filter Pruning for Deep Convolutional Neural Networks",
https://arxiv.org/abs/1808.07471. The schedule a * exp(-k * t) + b goes through (0, 0),
(epochs / 8, 3/4 of the rate) and (epochs, the rate), as two independent ports have it; here in
closed form.
"""

from __future__ import annotations

from edgekit.pruning.method import METHODS
from edgekit.pruning.sfp import SoftFilterPruning

# Root in (0, 1) of 1/4 - z + 3/4 * z**8: what makes the curve go through all three points.
_Z = 0.25001144
NEARLY_ALL = 0.995


@METHODS.register("asfp")  # the paper's name for it
@METHODS.register("psfp")
class ProgressiveSoftFilterPruning(SoftFilterPruning):
    """Soft filter pruning at a rate that approaches its end exponentially."""

    def share_at(self, epoch: int, epochs: int) -> float:
        """Return the share after ``epoch`` epochs; the curve's last half percent comes at once, half-way.

        Otherwise one filter more would become zero after the very last epoch, and the network could
        not learn to do without it.
        """
        share = progressive_rate(1.0, epoch / epochs)
        return 1.0 if share > NEARLY_ALL else share


def progressive_rate(rate: float, progress: float) -> float:
    """Return rate * (1 - z^(8 * progress)) / (1 - z^8); ``progress`` goes from 0 to 1.

    Example:
        >>> [round(progressive_rate(1.0, t), 3) for t in (0, 1 / 16, 1 / 8, 1 / 4, 1)]
        [0.0, 0.5, 0.75, 0.938, 1.0]
    """
    return rate * (1 - _Z ** (8 * progress)) / (1 - _Z**8)
