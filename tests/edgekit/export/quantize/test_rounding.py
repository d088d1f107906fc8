import pytest
import torch
from torch import nn

from edgekit.export.quantize.plan import QuantizationPlan
from edgekit.export.quantize.rounding import LEVELS, round_keeping_sums, round_weights
from tests.edgekit.export.quantize import nets


@pytest.fixture
def kernels():
    torch.manual_seed(0)
    return torch.randn(32, 1, 3, 3)


def test_weights_lie_on_the_grid_of_their_channel(kernels):
    rounded = round_keeping_sums(kernels)
    step = kernels.abs().amax((1, 2, 3), keepdim=True) / LEVELS
    steps = rounded / step
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert steps.abs().max() <= LEVELS + 1e-3
    assert ((rounded - kernels).abs() <= step * 1.001).all()  # no weight moves by more than a step


def test_each_kernel_keeps_its_sum_within_half_a_step(kernels):
    step = kernels.abs().amax((1, 2, 3)) / LEVELS
    drift = (round_keeping_sums(kernels) - kernels).sum((1, 2, 3)).abs()
    nearest = ((kernels / step.reshape(-1, 1, 1, 1)).round() * step.reshape(-1, 1, 1, 1) - kernels).sum(
        (1, 2, 3)
    )
    assert (drift <= 0.5001 * step).all()
    assert (nearest.abs() > 0.5001 * step).any()  # which rounding to nearest does not


def test_a_channel_of_zeros_stays_zero():
    assert (round_keeping_sums(torch.zeros(2, 3, 3, 3)) == 0).all()


def test_the_output_keeps_its_mean_over_the_calibration_frames():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Flatten()).eval()
    plan = QuantizationPlan("static_wi8_ai8", nets.calibration(), ())
    rounded = round_weights(model, plan)
    x = torch.cat([torch.from_numpy(frame[0]) for frame in plan.calibration.frames])
    with torch.no_grad():
        exact = model[0](x)
        shift = (rounded[0](x) - exact).mean((0, 2, 3)).abs().max()
        biased = (
            (nn.functional.conv2d(x, rounded[0].weight, model[0].bias) - exact).mean((0, 2, 3)).abs().max()
        )
    assert shift < 1e-6 < biased
    assert not torch.equal(rounded[0].weight, model[0].weight)


def test_modules_that_stay_float_keep_their_weights():
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1)).eval()
    rounded = round_weights(model, QuantizationPlan("static_wi8_ai8", nets.calibration(), ("0",)))
    assert torch.equal(rounded[0].weight, model[0].weight)
    assert not torch.equal(rounded[1].weight, model[1].weight)
