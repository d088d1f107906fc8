"""What a model costs: parameters and multiply-accumulates of one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from edgekit.models.build import build_model
from edgekit.models.spec import ModelSpec
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, SpatialGroupEnhance


@dataclass(frozen=True)
class ModelCost:
    """Parameters and multiply-accumulates (MACs) of one input image."""

    params: int
    macs: int


def model_cost(spec: ModelSpec) -> ModelCost:
    """Return what the model of ``spec`` costs.

    The network is really built and run once: on the meta device it would need no memory, but
    its batch norm brings in torch's compiler, which takes longer than running all models.

    Example:
        >>> model_cost(ModelSpec("resnet18"))
        ModelCost(params=11689512, macs=1814073344)
    """
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        model = build_model(spec)
    shape = (spec.in_channels, spec.image_size, spec.image_size)
    return ModelCost(count_parameters(model), count_macs(model, shape))


def count_parameters(model: nn.Module) -> int:
    """Return the number of weights that are learned."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """Return the multiply-accumulates of one image through ``model``.

    Counted as the papers do: convolutions and linear layers; batch norm, activations and additions
    are free. Of blocks that look at their input everything this makes them compute is counted: see
    the functions below. Padding counts as if it were data.

    Args:
        model: in whatever mode; it is left as it was.
        input_shape: (C, H, W).
    """
    total = 0

    def add(_: str, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
        nonlocal total
        total += _COUNTERS[type(module)](module, x, y)

    counted = {name: module for name, module in model.named_modules() if type(module) in _COUNTERS}
    _watch(model, input_shape, counted, add)
    return total


def work_by_module(model: nn.Module, input_shape: tuple[int, int, int]) -> dict[str, int]:
    """Return what each module of ``model`` computes: its MACs, or the elements it gives where it has none.

    Args as of ``count_macs``.
    """
    work: dict[str, int] = {}

    def add(name: str, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
        counter = _COUNTERS.get(type(module))
        found = y.numel() if counter is None else counter(module, x, y)
        work[name] = work.get(name, 0) + found

    _watch(model, input_shape, dict(model.named_modules()), add)
    return work


def _watch(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    watched: dict[str, nn.Module],
    see: Callable[[str, nn.Module, torch.Tensor, torch.Tensor], None],
) -> None:
    """Run one image and show what goes into and comes out of the watched that map a tensor to one."""

    def hook(name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        def show(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            if inputs and isinstance(inputs[0], torch.Tensor) and isinstance(output, torch.Tensor):
                see(name, module, inputs[0], output)

        return show

    handles = [module.register_forward_hook(hook(name)) for name, module in watched.items()]
    modes = {module: module.training for module in model.modules()}
    place = next(model.parameters())
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *input_shape, device=place.device, dtype=place.dtype))
    finally:
        for module, was_training in modes.items():
            module.training = was_training
        for handle in handles:
            handle.remove()


def _conv_macs(conv: nn.Conv2d, _: torch.Tensor, y: torch.Tensor) -> int:
    return y.numel() * conv.weight[0].numel()


def _linear_macs(linear: nn.Linear, _: torch.Tensor, y: torch.Tensor) -> int:
    return y.numel() * linear.in_features


def _dynamic_conv_macs(conv: DynamicConv2d, x: torch.Tensor, y: torch.Tensor) -> int:
    """Count pooling HWC, attention C^2/4 + CK/4, aggregation K N C k^2 and the convolution."""
    attention = conv.attention.fc1.weight.numel() + conv.attention.fc2.weight.numel()
    return x.numel() + attention + conv.weight.numel() + y.numel() * conv.weight[0, 0].numel()


def _dynamic_relu_macs(act: DynamicReLU, x: torch.Tensor, _: torch.Tensor) -> int:
    """Count pooling HWC, the hyper-function's layers, and two lines, 2 K HWC with K = 2.

    The convolution of the spatial attention (variant c) counts itself.
    """
    layers = (act.fc1, act.slope1, act.slope2, act.offset1, act.offset2)
    return x.numel() + sum(layer.weight.numel() for layer in layers) + 2 * 2 * x.numel()


def _selective_kernel_macs(_: SelectiveKernel, __: torch.Tensor, y: torch.Tensor) -> int:
    """Count pooling of both maps, 2 HWN, and the weighing, HWN; its convolutions count themselves."""
    return 3 * y.numel()


def _spatial_enhance_macs(enhance: SpatialGroupEnhance, x: torch.Tensor, _: torch.Tensor) -> int:
    """Count pooling, similarity and weighing, 3 HWC, and sums over groups and back, 2 GHWC."""
    return (3 + 2 * len(enhance.scale)) * x.numel()


_COUNTERS = {
    nn.Conv2d: _conv_macs,
    nn.Linear: _linear_macs,
    DynamicConv2d: _dynamic_conv_macs,
    DynamicReLU: _dynamic_relu_macs,
    SelectiveKernel: _selective_kernel_macs,
    SpatialGroupEnhance: _spatial_enhance_macs,
}
