"""Building blocks, most of which look at their input to decide what they do."""

from edgekit.nn.dynamic_conv import DynamicConv2d, KernelAttention
from edgekit.nn.dynamic_relu import DynamicReLU
from edgekit.nn.selective_kernel import SelectiveKernel
from edgekit.nn.spatial_enhance import SpatialGroupEnhance
from edgekit.nn.temperature import TemperatureSchedule, set_temperature
from edgekit.nn.uout import UOut

__all__ = [
    "DynamicConv2d",
    "DynamicReLU",
    "KernelAttention",
    "SelectiveKernel",
    "SpatialGroupEnhance",
    "TemperatureSchedule",
    "UOut",
    "set_temperature",
]
