import pytest
import torch
from torch import nn

from edgekit.models.surgery.kernels import can_shrink, centred_size, shrink_kernels
from runtime.errors import PruneError


@pytest.mark.parametrize(
    ("alive", "size"),
    [
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], (1, 1)),
        ([[0, 0, 0], [1, 0, 0], [0, 0, 0]], (1, 3)),
        ([[0, 0, 0], [0, 1, 0], [0, 1, 0]], (3, 1)),
        ([[0, 0, 0], [0, 0, 0], [0, 0, 0]], (1, 1)),
        ([[0, 0, 1], [0, 0, 0], [0, 0, 0]], (3, 3)),
    ],
)
def test_the_least_size_about_the_centre_holds_what_is_alive(alive, size):
    assert centred_size(torch.tensor(alive).bool()) == size


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("size", [(1, 3), (3, 1), (1, 1)])
def test_a_cut_kernel_computes_what_the_masked_one_does(kernel, stride, dilation, size):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, kernel, stride, dilation * (kernel // 2), dilation)
    mask = torch.zeros(kernel, kernel)
    top, left = (kernel - size[0]) // 2, (kernel - size[1]) // 2
    mask[top : top + size[0], left : left + size[1]] = 1
    conv.weight.data *= mask
    x = torch.rand(2, 3, 9, 9)
    expected = conv(x)
    model = nn.Sequential(conv)
    shrink_kernels(model, {"0": size})
    assert model[0].kernel_size == tuple(model[0].weight.shape[2:]) == size
    assert torch.allclose(model(x), expected, atol=1e-5)


def test_what_is_not_zero_is_not_cut_off():
    with pytest.raises(PruneError, match="the kernel of '0' is not zero outside of 1x1; cut less"):
        shrink_kernels(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), {"0": (1, 1)})


@pytest.mark.parametrize("plan", [{"1": (1, 1)}, {"0": (2, 1)}, {"0": (5, 5)}, {"0": (-1, 1)}])
def test_plans_that_do_not_fit_are_refused(plan):
    with pytest.raises(PruneError, match="which this model's cannot be"):
        shrink_kernels(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), plan, exact=False)


def test_kernels_that_reach_into_the_border_without_padding_stay():
    assert not can_shrink(nn.Conv2d(3, 4, 3))
    assert not can_shrink(nn.Conv2d(3, 4, 3, padding="same"))
    assert not can_shrink(nn.Conv2d(3, 4, 2, padding=1))
    assert not can_shrink(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"))
