"""One step of an LSTM in forms that stay in one delegate (Hochreiter & Schmidhuber 1997).

``nn.LSTM`` is fast to train and splits one product into four gates, which XNNPACK does not take; here each
gate has a small ``nn.Linear`` of its own, with the same numbers. The loop over steps is the device's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StepLSTM(nn.Module):
    """One step of a trained ``nn.LSTM`` of one layer.

    Args:
        lstm: one layer, one direction; its weights are copied.

    Example:
        >>> step = StepLSTM(nn.LSTM(3, 5))
        >>> hidden, cell = step(torch.zeros(1, 3), torch.zeros(1, 5), torch.zeros(1, 5))
        >>> hidden.shape
        torch.Size([1, 5])
    """

    def __init__(self, lstm: nn.LSTM):
        super().__init__()
        if lstm.num_layers != 1 or lstm.bidirectional or lstm.proj_size:
            raise ValueError("StepLSTM takes an nn.LSTM of one layer, one direction and no projection")
        weights = torch.cat(
            [lstm.weight_ih_l0, lstm.weight_hh_l0], dim=1
        ).detach()  # (4 * hidden, in + hidden)
        biases = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach()
        gates = []
        for weight, bias in zip(weights.chunk(4), biases.chunk(4), strict=True):
            gate = nn.Linear(weight.shape[1], weight.shape[0])
            gate.weight.data.copy_(weight)
            gate.bias.data.copy_(bias)
            gates.append(gate)
        self.keep_input, self.forget, self.candidate, self.give_output = gates

    def forward(self, inputs: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next hidden and cell state, (B, hidden) each, from inputs (B, in) and the last ones."""
        both = torch.cat([inputs, hidden], dim=1)
        kept = torch.sigmoid(self.forget(both)) * cell
        cell = kept + torch.sigmoid(self.keep_input(both)) * torch.tanh(self.candidate(both))
        return torch.sigmoid(self.give_output(both)) * torch.tanh(cell), cell
