"""Every model of the zoo, and its dynamic forms, on both engines in every precision."""

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export import EXPORT_BACKENDS, Origin, export_bundle
from edgekit.models import ModelSpec, build_model, list_models
from edgekit.nn import set_temperature
from runtime.bundle import PRECISIONS, ImageSpec

SIDE, N_INPUTS = 64, 8
DYNAMIC = {
    "dynamic 1x1 convolutions": {"dynamic_conv": "pointwise"},
    "DY-ReLU-A": {"act": "dyrelu-a"},
    "DY-ReLU-B": {"act": "dyrelu-b"},
    "DY-ReLU-C": {"act": "dyrelu-c"},
}
NETS = {name: {"name": name} for name in list_models()} | {
    f"mobilenet_v2, {what}": {"name": "mobilenet_v2", "width": 0.5, **choices}
    for what, choices in DYNAMIC.items()
}


def settled(**choices):
    """Return a net whose activations have the scale of a trained one's.

    Batch norm has seen data, and as in a trained net a residual branch adds little to its shortcut;
    else what int8 rounds grows from block to block, and nothing can be said at the end.
    """
    torch.manual_seed(0)
    model = build_model(ModelSpec(num_classes=10, image_size=SIDE, **choices)).train()
    set_temperature(model, 1.0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.normal_(module.bias, 0.0, 0.1)  # or terms of sums are too small for XNNPACK's int8
        if getattr(module, "has_shortcut", False):
            nn.init.constant_(module.project.bn.weight, 0.2)
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(16, 3, SIDE, SIDE))
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
def test_every_precision_exports_loads_runs_and_agrees(net, tmp_path):
    inputs = np.random.default_rng(0).standard_normal((N_INPUTS, 3, SIDE, SIDE)).astype("float32")
    image = ImageSpec(SIDE, SIDE, (0.5,) * 3, (0.5,) * 3)
    origin = Origin.of_images("net", settled(**NETS[net]), image, (), inputs, "random numbers", {})
    bundle = export_bundle(origin, tmp_path / "net.edgekit", precisions=PRECISIONS)
    variants = {(variant.engine, variant.precision): variant for variant in bundle.manifest.variants}
    assert set(variants) == {(engine, p) for engine in EXPORT_BACKENDS for p in PRECISIONS}
    sizes = {entry.path: entry.size_bytes for entry in bundle.manifest.files}
    for engine in EXPORT_BACKENDS:
        exact, dynamic, static = (variants[engine, precision] for precision in PRECISIONS)
        assert exact.parity.sqnr_db > 80
        assert exact.delegation.partitions == 1
        assert not exact.delegation.fallback
        assert min(dynamic.parity.sqnr_db, static.parity.sqnr_db) > 10
        assert sizes[dynamic.path] < sizes[exact.path]
        assert sizes[static.path] < sizes[exact.path]
