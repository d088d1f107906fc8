import pytest
import torch
from torch import nn

from edgekit.nn.step_lstm import StepLSTM


def test_steps_give_what_the_sequence_gives():
    torch.manual_seed(0)
    lstm = nn.LSTM(6, 9, batch_first=True)
    inputs = torch.randn(2, 7, 6)
    expected, (last_hidden, last_cell) = lstm(inputs)
    step, hidden, cell = StepLSTM(lstm), torch.zeros(2, 9), torch.zeros(2, 9)
    for number in range(7):
        hidden, cell = step(inputs[:, number], hidden, cell)
        torch.testing.assert_close(hidden, expected[:, number], atol=1e-6, rtol=0)
    torch.testing.assert_close((hidden, cell), (last_hidden[0], last_cell[0]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 2}])
def test_other_lstms_are_refused(options):
    with pytest.raises(ValueError, match="one layer"):
        StepLSTM(nn.LSTM(3, 5, **options))
