"""Variance shift: dropout in front of batch norm, found in any network.

Paper: Li et al., "Understanding the Disharmony between Dropout and Batch Normalization by Variance
Shift", https://arxiv.org/abs/1801.05134: dropout makes the variance in training larger by 1 / (1 - p);
batch norm keeps that variance and meets another one in testing. Put dropout behind the last batch norm,
put UOut in its place, or estimate batch norm's statistics anew after training (``reestimate``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.data import Split
from edgekit.models import NO_MODEL, ModelSpec, build_model
from edgekit.training.batch_norm import reestimate_batch_norm
from edgekit.training.recipe import Recipe

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def find_shifted_norms(model: nn.Module, example: torch.Tensor) -> dict[str, tuple[str, ...]]:
    """Return the batch norms that each dropout of ``model`` reaches, by names; those that reach none: not.

    Every dropout's output is changed in turn, and the norms whose input follows are behind it. Only
    modules are seen: ``torch.nn.functional.dropout`` has no place that could be named.

    Args:
        example: an input, shape (B, C, H, W).

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Dropout(0.5), nn.BatchNorm2d(8), nn.Dropout(0.1))
        >>> find_shifted_norms(net, torch.rand(1, 3, 4, 4))
        {'1': ('2',)}
    """
    # A copy in eval mode: nothing is random but what is changed on purpose, and nothing is kept.
    model = copy.deepcopy(model).eval()
    before = _norm_inputs(model, example)
    found = {}
    for name, dropout in model.named_modules():
        if isinstance(dropout, DROPOUTS) and dropout.p:
            handle = dropout.register_forward_hook(lambda _, __, output: output * 1.5 + 1)
            after = _norm_inputs(model, example)
            handle.remove()
            if reached := tuple(norm for norm in before if not torch.equal(before[norm], after[norm])):
                found[name] = reached
    return found


def shift_warnings(spec: ModelSpec, recipe: Recipe) -> list[str]:
    """Return a line for each dropout of the network of ``spec`` in front of batch norm, by names.

    None where ``recipe`` puts UOut in its place or estimates the statistics anew, or without a model.
    """
    if {"uout", "reestimate"} & recipe.use.keys() or spec.name == NO_MODEL:
        return []
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        model = build_model(spec)
        example = torch.rand(1, spec.in_channels, spec.image_size, spec.image_size)
    found = find_shifted_norms(model, example)
    return [
        f"dropout {dropout!r} stands in front of batch norm {', '.join(map(repr, norms))}, which keeps a "
        "variance that it does not meet in tests; put dropout behind the last batch norm, or train with "
        "--use uout or --use reestimate"
        for dropout, norms in found.items()
    ]


def variance_ratios(model: nn.Module, split: Split) -> dict[str, float]:
    """Return, for each batch norm, the median of variance in testing over the one it keeps from training.

    Args:
        split: images to test on, such as the training split.
    """
    tested = copy.deepcopy(model)
    reestimate_batch_norm(tested, split)
    return {
        name: (tested.get_submodule(name).running_var / norm.running_var).median().item()
        for name, norm in model.named_modules()
        if isinstance(norm, _BatchNorm) and norm.track_running_stats
    }


def _norm_inputs(model: nn.Module, example: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what goes into each batch norm."""
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        return lambda _, inputs: seen.update({name: inputs[0].clone()})

    norms = {name: module for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    handles = [module.register_forward_pre_hook(keep(name)) for name, module in norms.items()]
    with torch.no_grad():
        model(example)
    for handle in handles:
        handle.remove()
    return seen
