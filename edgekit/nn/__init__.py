"""Building blocks whose weights or shape depend on the input."""

from edgekit.nn.dynamic_conv import DynamicConv2d, KernelAttention
from edgekit.nn.dynamic_relu import DynamicReLU
from edgekit.nn.selective_kernel import SelectiveKernel
from edgekit.nn.spatial_enhance import SpatialGroupEnhance
from edgekit.nn.temperature import TemperatureSchedule, set_temperature

__all__ = [
    "DynamicConv2d",
    "DynamicReLU",
    "KernelAttention",
    "SelectiveKernel",
    "SpatialGroupEnhance",
    "TemperatureSchedule",
    "set_temperature",
]
