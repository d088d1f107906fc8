"""What a model is, as a record: enough to build its network again, weights apart; and the models by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.models.choices import check_choices
from edgekit.models.user_code import is_user_model
from runtime.registry import Registry

if TYPE_CHECKING:
    from torch import nn


ACTS = ("default", "relu", "dyrelu-a", "dyrelu-b", "dyrelu-c")
DYNAMIC_CONVS = ("none", "pointwise")
BLOCKS = ("none", "sk", "sge")
NO_MODEL = "none"  # of a task that brings all of its network


@dataclass(frozen=True)
class ModelSpec:
    """A model's name and its choices; checked when made, plain JSON when stored.

    Attributes:
        name: one of ``list_models()``; or ``path/to/file.py:function``, which makes a network of the
            user's own: see ``edgekit.models.user_model``. Of the choices below it has only those that the
            data decide. ``none`` is for a task that brings all of its network.
        num_classes: outputs of the classifier.
        width: factor on every channel count; results are multiples of 8.
        image_size: side of the square input the network is built for. Up to 64 the network
            keeps its resolution longer, see ``layers.strides_for``.
        in_channels: 3 for colour, 1 for grey.
        act: ``default`` is the model's own; ``relu`` and ``dyrelu-a|b|c`` replace all of them
            except the gates of squeeze-and-excitation.
        dynamic_conv: ``pointwise`` makes every 1x1 convolution dynamic, except those of
            squeeze-and-excitation. Stem, depthwise convolutions and classifier stay static.
        kernels: K of each dynamic convolution.
        dynamic_at: which of these layers are dynamic: paths such as ``blocks.3.expand.act`` or
            ``blocks.3``, shell patterns of them, ``last:N``; ``None`` is everywhere. The others are
            the model's own. See ``edgekit.models.placement``.
        dropout: before the classifier; ``None`` is the model's own.
        block: ``sk`` makes the first 3x3 convolution of every residual block, or its depthwise one, a
            selective kernel; ``sge`` weighs positions behind every block's last batch norm.
        erase_relu: leave out the last activation of every residual block (EraseReLU, 1709.07634), in
            nets whose blocks have one behind the addition.
        file_sha256: of the user's file; a network is built only as long as it is the same.
        choices: what stands at each place of a MobileNet or EfficientNet, front to back: ``k5e3`` (kernel
            5, three times as many channels inside), ``skip`` or ``own``; ``None``: each block is the
            model's own. See ``edgekit.models.choices``; ``edgekit search`` finds them.

    Raises:
        ValueError: an unknown name or choice, or a number out of range.

    Example:
        >>> spec = ModelSpec("mobilenet_v2", num_classes=10, width=0.35, image_size=32, act="dyrelu-b")
        >>> spec.is_dynamic
        True
    """

    name: str
    num_classes: int = 1000
    width: float = 1.0
    image_size: int = 224
    in_channels: int = 3
    act: str = "default"
    dynamic_conv: str = "none"
    kernels: int = 4
    dropout: float | None = None
    dynamic_at: tuple[str, ...] | None = None
    block: str = "none"
    erase_relu: bool = False
    file_sha256: str | None = None
    choices: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self._check_own() if self.is_own or self.name == NO_MODEL else MODELS.get(self.name)
        if self.choices is not None:
            check_choices(self.choices, self.name, MODELS.get(self.name).places, self.block)
        if self.erase_relu and not MODELS.get(self.name).acts_last:
            raise ValueError(
                f"model spec: erase_relu on {self.name!r}, whose blocks end without an activation; "
                "choose a model whose blocks have one, such as resnet18, or leave erase_relu out"
            )
        _check("act", self.act, self.act in ACTS, f"one of {', '.join(ACTS)}")
        _check(
            "dynamic_conv",
            self.dynamic_conv,
            self.dynamic_conv in DYNAMIC_CONVS,
            f"one of {', '.join(DYNAMIC_CONVS)}",
        )
        _check("block", self.block, self.block in BLOCKS, f"one of {', '.join(BLOCKS)}")
        _check("num_classes", self.num_classes, self.num_classes >= 1, "1 or more")
        _check("width", self.width, 0.05 <= self.width <= 8, "from 0.05 to 8")
        _check("image_size", self.image_size, self.image_size >= 8, "8 or more")
        _check("in_channels", self.in_channels, self.in_channels >= 1, "1 or more")
        _check("kernels", self.kernels, 1 <= self.kernels <= 64, "from 1 to 64")
        _check("dropout", self.dropout, self.dropout is None or 0 <= self.dropout < 1, "from 0 to below 1")
        if self.dynamic_at is not None and not self.is_dynamic:
            raise ValueError(
                f"model spec: dynamic_at={self.dynamic_at!r} but nothing is dynamic; choose act='dyrelu-b', "
                "dynamic_conv='pointwise' or both"
            )

    @property
    def is_own(self) -> bool:
        """Whether a file of the user makes the network."""
        return is_user_model(self.name)

    @property
    def label(self) -> str:
        """The name to show: of a user's file without its folder."""
        return Path(self.name).name if self.is_own else self.name

    @property
    def is_dynamic(self) -> bool:
        """Whether any layer may be dynamic."""
        return self.act.startswith("dyrelu") or self.dynamic_conv != "none"

    def _check_own(self) -> None:
        for field in _OF_THE_ZOO:
            value, default = getattr(self, field), ModelSpec.__dataclass_fields__[field].default
            if value != default:
                whose = "there is none" if self.name == NO_MODEL else f"{self.label} makes one of your own"
                raise ValueError(
                    f"model spec: {field}={value!r} is for edgekit's models, and {whose}; leave the option "
                    "(or the recipe that sets it) out"
                )


_OF_THE_ZOO = (
    "width",
    "act",
    "dynamic_conv",
    "kernels",
    "dropout",
    "dynamic_at",
    "block",
    "erase_relu",
    "choices",
)


def _check(field: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ValueError(f"model spec: {field}={value!r}; choose {allowed}")


@dataclass(frozen=True)
class ModelEntry:
    """How to build a model, and the image size and number of classes it was designed for.

    ``acts_last`` says that its blocks end with an activation, ``places`` how many blocks can be chosen.
    """

    build: Callable[[ModelSpec], nn.Module]
    image_size: int = 224
    num_classes: int = 1000
    acts_last: bool = False
    places: int = 0


MODELS: Registry[ModelEntry] = Registry("model")


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the models that match a shell ``pattern``, sorted.

    Example:
        >>> list_models("mobilenet_v3*")
        ['mobilenet_v3_large', 'mobilenet_v3_small']
    """
    return MODELS.names(pattern)
