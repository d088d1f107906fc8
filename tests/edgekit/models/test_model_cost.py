import torch
from torch import nn

from edgekit.models import ModelSpec, count_macs, model_cost
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, SpatialGroupEnhance


def test_static_layers():
    convolutions = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8)
    model = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(128, 5))
    assert count_macs(model, (3, 8, 8)) == 4 * 4 * 8 * 3 * 9 + 4 * 4 * 8 * 9 + 128 * 5


def test_the_overhead_of_a_dynamic_convolution_is_the_papers():
    c, n, k, kernels, height, width = 16, 32, 3, 4, 12, 10
    dynamic = count_macs(DynamicConv2d(c, n, k, 2, 1, kernels=kernels), (c, height, width))
    static = count_macs(nn.Conv2d(c, n, k, 2, 1, bias=False), (c, height, width))
    attention = height * width * c + c * c // 4 + c * kernels // 4
    aggregation = kernels * n * c * k * k
    assert static == (6 * 5) * n * c * k * k
    assert dynamic - static == attention + aggregation
    assert aggregation / static == kernels / (6 * 5)


def test_the_cost_of_a_dynamic_relu_is_the_papers():
    c, reduction, height, width = 32, 8, 6, 5
    layers = c * c // reduction + 2 * 2 * c * c // reduction
    pooling, lines = height * width * c, 2 * 2 * height * width * c
    assert count_macs(DynamicReLU(c, "b", reduction), (c, height, width)) == layers + pooling + lines


def test_the_cost_of_a_selective_kernel():
    c, n, height, width, hidden = 8, 16, 6, 5, 32
    branches = 2 * height * width * n * c * 9
    squeeze_and_heads = n * hidden + 2 * hidden * n
    pooling, weighing = 2 * height * width * n, height * width * n
    found = count_macs(SelectiveKernel(c, n, groups=1), (c, height, width))
    assert found == branches + squeeze_and_heads + pooling + weighing
    depthwise = count_macs(SelectiveKernel(c, c, groups=c), (c, height, width))
    assert depthwise == 2 * height * width * c * 9 + 3 * c * hidden + 3 * height * width * c


def test_the_cost_of_a_spatial_enhance():
    c, groups, height, width = 32, 8, 6, 5
    pooling_similarity_and_weighing, sums_and_back = 3 * height * width * c, 2 * groups * height * width * c
    found = count_macs(SpatialGroupEnhance(c, groups), (c, height, width))
    assert found == pooling_similarity_and_weighing + sums_and_back


def test_counting_leaves_model_and_random_numbers_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    model[1].eval()
    before = model[1].running_mean.clone()
    count_macs(model, (3, 4, 4))
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert torch.equal(model[1].running_mean, before)
    assert not model[0]._forward_hooks
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    model_cost(ModelSpec("resnet20", num_classes=10, image_size=32))
    assert torch.equal(torch.rand(3), expected)
