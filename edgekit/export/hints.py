"""What to change in a model so that an op goes back into the delegate.

Each hint was tried on both engines (executorch 1.5.1, ai-edge-litert 2.3.0): the form it names stays inside.
"""

from __future__ import annotations

# (names of ATen ops without overload, and of LiteRT's in lower case; what to change)
_HINTS = (
    ("select_copy", "index with a slice that keeps the axis: x.narrow(1, 0, 1) for x[:, 0]"),
    (
        "mean sum sum_dim",
        "over the map: keep the axes (keepdim=True) or use nn.AdaptiveAvgPool2d(1); over channels: a 1x1 "
        "convolution with constant weights",
    ),
    ("amax max_dim reduce_max", "over the map: F.max_pool2d with a window of the whole map"),
    (
        "mm addmm matmul",
        "with constant weights: nn.Linear; of two computed tensors: torch.bmm on three axes",
    ),
    (
        "fully_connected batch_matmul",
        "its second factor is computed: order the product so that neither factor is transposed, as in "
        "torch.bmm(weights, x)",
    ),
    (
        "convolution conv_2d depthwise_conv_2d",
        "a convolution with computed weights has no fast kernel; use edgekit.nn.DynamicConv2d",
    ),
    ("slice_copy strided_slice", "slice with step 1; give the stride to a convolution"),
    (
        "_to_dim_order_copy _clone_dim_order _to_copy cast",
        "keep every tensor of the graph float32: register constants as float buffers",
    ),
    ("cumsum", "write the running sum as a product with a constant triangular matrix: an nn.Linear"),
    (
        "index index_select gather gather_nd",
        "order channels with a 1x1 convolution, rows or columns with an nn.Linear, whose constant weights "
        "are 0 and 1; or join slices with torch.cat",
    ),
    ("arange", "join slices with torch.cat instead of rolling or indexing"),
    ("repeat tile", "leave the broadcast to the op that follows"),
    ("split_copy split_with_sizes_copy", "take each part with x.narrow"),
    (
        "squeeze_copy unsqueeze_copy unbind_copy",
        "take parts with x.narrow and change the number of axes with reshape",
    ),
    ("concatenation", "concatenate at most five tensors"),
    ("pow", "write whole powers as products, x * x * x, and a root as torch.sqrt"),
    (
        "native_group_norm native_layer_norm",
        "use nn.BatchNorm2d, which export folds into the convolution before it",
    ),
    ("_softmax", "apply softmax over the last axis of three: x.flatten(2).transpose(1, 2).softmax(-1)"),
    ("_log_softmax", "write it as the logarithm of a softmax over the last axis"),
    (
        "where gt ge lt le eq greater greater_equal less less_equal equal select select_v2",
        "compare floats or bytes, whose conditions are rewritten: take masks as uint8, bool or float32",
    ),
    ("erf", "use nn.GELU"),
    ("elu", "use nn.LeakyReLU, nn.SiLU or nn.Hardswish"),
    ("topk argmax arg_max sort", "leave it out of the graph and do it on the output"),
    ("var", "write the variance as mean(x * x) - mean(x) ** 2 with keepdim=True over the map"),
    ("_adaptive_avg_pool2d", "use nn.AvgPool2d with a fixed window"),
    ("avg_pool2d", "pad with F.pad first, then pool without padding"),
)
_HINT_OF = {name: hint for names, hint in _HINTS for name in names.split()}
_DEFAULT = "replace it in that module by ops of the delegate"


def hint_for(op: str, reason: str = "") -> str:
    """Return what to change about ``op``, named as in a delegation: ``aten.cumsum.default``, ``CUMSUM``.

    Args:
        op: its name.
        reason: why the delegate left it.
    """
    if "one type for both" in reason:
        return "quantise its input as well as its weights, or neither"
    if "1D + 2D Conv" in reason or op == "CONV_3D":
        return "convolve the frames with nn.Conv2d, as a batch, and then over time with nn.Conv1d"
    parts = op.lower().split(".")
    return _HINT_OF.get(parts[-2] if len(parts) > 1 else parts[0], _DEFAULT)
