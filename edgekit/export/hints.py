"""What to change in a model so that an op goes back into the delegate."""

from __future__ import annotations

# Keys: names of ATen ops without overload, and of LiteRT's ops in lower case.
_HINTS = {
    "select_copy select": "write the index as a slice that keeps the axis: narrow(dim, i, 1) for x[:, i]",
    "mean sum amax reduce": "keep the reduced axes (keepdim=True), or pool with nn.AdaptiveAvgPool2d(1)",
    "mm bmm addmm matmul batch_matmul": "write the product as nn.Linear with constant weights, or as "
    "torch.bmm on float tensors with batch 1",
    "convolution conv_2d depthwise_conv_2d": "a convolution with computed weights has no fast kernel: use "
    "edgekit.nn.DynamicConv2d, which export rewrites",
    "slice_copy strided_slice": "slice with step 1; for every second pixel use a convolution or pooling of stride 2",
    "_to_dim_order_copy _to_copy cast": "keep everything float32: register constants as float buffers instead "
    "of Python scalars or integer tensors",
    "cumsum": "write the running sum as a product with a constant triangular matrix (nn.Linear without bias)",
    "gather gather_nd index index_select embedding": "choose rows with slices known at export, or with a "
    "product by a one-hot matrix",
    "expand_copy repeat broadcast_to tile": "leave the broadcast to the op that follows: it needs no copy",
    "split split_copy split_with_sizes_copy unbind_copy": "use up to four equal parts (torch.chunk), or one layer "
    "per part",
    "cat stack concatenation pack": "concatenate up to five tensors at once, on an axis that is there",
    "pow": "write small powers as products: x * x",
    "group_norm native_group_norm layer_norm native_layer_norm": "use nn.BatchNorm2d, which export folds away",
    "_softmax softmax log_softmax _log_softmax": "apply softmax over the last axis, without a scale",
    "clone_copy clone permute_copy view_copy squeeze_copy unsqueeze_copy": "let the reshape stand between ops "
    "of the delegate, not at the model's edge",
    "where masked_fill eq gt lt ge le logical_not logical_and": "replace the condition by arithmetic on floats, such "
    "as clamp or a product with a mask",
    "topk sort argmax arg_max max max_dim": "take it out of the graph and do it on the output",
    "upsample_nearest2d resize_nearest_neighbor": "use bilinear upsampling or nn.ConvTranspose2d",
}
_HINT_OF = {name: hint for names, hint in _HINTS.items() for name in names.split()}
_DEFAULT = "replace it in that module by ops of the delegate"


def hint_for(op: str) -> str:
    """Return what to change about ``op``, named as in a delegation: ``aten.cumsum.default``, ``CUMSUM``."""
    parts = op.lower().replace("::", ".").split(".")
    return _HINT_OF.get(parts[-2] if len(parts) > 1 else parts[0], _DEFAULT)
