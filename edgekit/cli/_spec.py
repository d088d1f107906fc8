"""Options that choose what a model is made of: fields of its spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option("--width", type=float, help="Factor on all channel counts."),
    click.option("--image-size", type=int, help="Side of the input in pixels; default: the dataset's own."),
    click.option("--act", help="relu, dyrelu-a, dyrelu-b or dyrelu-c instead of the model's own."),
    click.option("--dynamic-conv", help="pointwise: make the 1x1 convolutions dynamic."),
    click.option("--block", help="sk (selective kernels) or sge (spatial enhance) in every residual block."),
    click.option(
        "--erase-relu", is_flag=True, default=None, help="Leave out the last ReLU of every residual block."
    ),
)
_NAMES = ("width", "image_size", "act", "dynamic_conv", "block", "erase_relu")


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose what a model is made of."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_choices(options: dict[str, Any]) -> dict[str, Any]:
    """Take these options out of a command's ``options`` and return them."""
    return {name: options.pop(name) for name in _NAMES}
