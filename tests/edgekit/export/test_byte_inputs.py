"""Inputs of bytes, as cameras give them: wholly delegated, with the same numbers, and still bytes."""

import pytest
import torch
from torch import nn

from edgekit.export import QuantizeOptions, export_bundle, live_model
from runtime.engines import EngineProcess

ENGINES = ["executorch", "litert"]


class Camera(nn.Module):
    def __init__(self, enter):
        super().__init__()
        self.enter, self.conv, self.head = enter, nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.conv(self.enter(x)).relu().mean((2, 3)))


SPELLINGS = {
    "as Android gives them": lambda x: x.permute(0, 3, 1, 2).float() / 255,
    "divided at once": lambda x: x.permute(0, 3, 1, 2) / 255.0,
    "centred": lambda x: (x.to(torch.float32) - 127.5).permute(0, 3, 1, 2) * 0.01,
    "reordered, cut": lambda x: x[:, 2:, :-2].movedim(3, 1).float().mul(1 / 128).sub(1),
}


def exported(tmp_path, enter, dtype, **options):
    torch.manual_seed(0)
    low = torch.iinfo(dtype).min
    pixels = torch.randint(low, low + 256, (1, 16, 16, 3), dtype=dtype)
    pixels.view(-1)[:2] = torch.tensor([low, low + 255], dtype=dtype)
    origin = live_model(Camera(enter).eval(), pixels, "camera")
    return export_bundle(origin, tmp_path / "camera.edgekit", **options)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_bytes_become_floats_inside_the_delegate(tmp_path, spelling, dtype):
    bundle = exported(tmp_path, SPELLINGS[spelling], dtype, tolerance=1e-6)
    for variant in bundle.manifest.variants:
        assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ()), variant.name
        with EngineProcess(variant.engine, bundle.file(variant.path)) as model:
            assert f"torch.{model.inputs[0].dtype}" == str(dtype)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "precisions"),
    # ExecuTorch's dynamic file computes nonsense behind a converted input, and its gate refuses it.
    [("executorch", ["fp32", "static_wi8_ai8"]), ("litert", ["fp32", "dynamic_wi8_afp32", "static_wi8_ai8"])],
)
def test_bytes_enter_quantised_files(tmp_path, engine, precisions):
    enter = SPELLINGS["as Android gives them"]
    options = {"precisions": precisions, "engines": [engine], "quantize": QuantizeOptions()}
    bundle = exported(tmp_path, enter, torch.uint8, **options)
    for variant in bundle.manifest.variants:
        assert variant.delegation.fallback == (), variant.name
        assert variant.parity.sqnr_db is None or variant.parity.sqnr_db > 20, variant.name
