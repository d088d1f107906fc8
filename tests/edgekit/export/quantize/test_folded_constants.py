"""LiteRT's converter folds what a model adds behind a layer into its bias; int8 files have it too."""

import pytest
import torch
from torch import nn

from edgekit.export import QuantizeOptions, export_bundle
from tests.edgekit.export.quantize import nets

QUANTISED = ["dynamic_wi8_afp32", "static_wi8_ai8"]


class Offsets(nn.Module):
    """Constants behind convolutions and linear layers with a bias, with none, and behind one used twice."""

    def __init__(self):
        super().__init__()
        self.stem, self.project = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.plain = nn.Conv2d(8, 8, 1, bias=False)
        self.down, self.up = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.twice, self.scores = nn.Linear(8, 8), nn.Linear(8, nets.CLASSES)
        self.gate = nn.Hardsigmoid()
        self.shift = nn.Parameter(torch.linspace(-2, 2, 8).reshape(1, 8, 1, 1))

    def forward(self, x):
        x = self.project(torch.relu(self.stem(x))) + self.shift
        x = self.depthwise(x) - 1.5
        x = self.plain(x) + 0.7
        x = x * self.gate(self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True)))))
        x = x.mean((2, 3), keepdim=True).flatten(1)
        return self.scores((self.twice(x) + 1.0) * (self.twice(2 * x) - 3.0)) + 5.0


@pytest.mark.parametrize("is_calibrated", [True, False])
def test_constants_behind_layers_are_kept(tmp_path, is_calibrated):
    torch.manual_seed(2)
    choices = QuantizeOptions(calibration=nets.calibration() if is_calibrated else None)
    bundle = export_bundle(
        nets.origin(Offsets().eval()), tmp_path / "net.edgekit", engines=["litert"], precisions=QUANTISED,
        quantize=choices,
    )  # fmt: skip
    for variant in bundle.manifest.variants:
        assert variant.parity.sqnr_db > 30, variant.name
