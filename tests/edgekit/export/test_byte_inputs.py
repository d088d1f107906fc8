"""Inputs of bytes, as cameras give them: wholly delegated, with the same numbers, and still bytes."""

import pytest
import torch
from torch import nn

from edgekit.export import QuantizeOptions, export_bundle, live_model
from runtime.bundle import PRECISIONS
from runtime.engines import EngineProcess
from tests.edgekit.export.compared import compared

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


class Tracked(Camera):
    """Pictures with their channels first, as OpenCV orders them or grey, beside one with channels last."""

    def forward(self, blue, grey, last):
        pictures = (
            blue[:, [2, 1, 0]].float(),
            grey.float().repeat(1, 3, 1, 1),
            last.flip(-1).permute(0, 3, 1, 2),
        )
        return tuple(super(Tracked, self).forward(one / 255.0) for one in pictures)


@pytest.mark.parametrize("engine", ENGINES)
def test_bytes_with_channels_first_or_in_another_order_are_converted_inside(engine):
    torch.manual_seed(0)
    shapes = (1, 3, 16, 16), (1, 1, 16, 16), (1, 16, 16, 3)
    pixels = tuple(torch.randint(0, 256, shape, dtype=torch.uint8) for shape in shapes)
    delegation, parity = compared(Tracked(lambda x: x), pixels, engine)
    assert (delegation.partitions, delegation.fallback) == (1, ())
    assert max(output.max_abs for output in parity.outputs) < 1e-5


class Masked(nn.Module):
    """Maps whose places are ruled out by masks of bytes, of booleans and of a comparison of bytes."""

    def __init__(self):
        super().__init__()
        self.conv, self.query, self.key = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, image, pixels, visible, known):
        y, rows = self.conv(image), image[:, 0]
        scores = torch.bmm(self.query(rows), self.key(rows).transpose(1, 2))
        return (
            torch.where(visible.bool().unsqueeze(1), y, -1.0),
            y * (pixels > 127).permute(0, 3, 1, 2),
            scores.masked_fill(~known[:, None, :], -1e4).softmax(-1),
            torch.where((known & (image.mean((1, 2)) > 0))[:, None], rows, rows * 2),
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_masks_that_are_inputs_choose_inside_the_delegate(engine):
    torch.manual_seed(0)
    inputs = (
        torch.randn(1, 3, 6, 6),
        torch.randint(0, 256, (1, 6, 6, 1), dtype=torch.uint8),
        torch.randint(0, 2, (1, 6, 6), dtype=torch.int8),
        torch.tensor([[True, False, True, True, False, True]]),
    )
    delegation, parity = compared(Masked(), inputs, engine)
    assert (delegation.partitions, delegation.fallback) == (1, ())
    assert max(output.max_abs for output in parity.outputs) < 1e-4


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_bytes_become_floats_inside_the_delegate(tmp_path, spelling, dtype):
    bundle = exported(tmp_path, SPELLINGS[spelling], dtype, tolerance=1e-6)
    for variant in bundle.manifest.variants:
        assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ()), variant.name
        with EngineProcess(variant.engine, bundle.file(variant.path)) as model:
            assert f"torch.{model.inputs[0].dtype}" == str(dtype)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_bytes_enter_quantised_files(tmp_path, engine):
    enter = SPELLINGS["as Android gives them"]
    options = {"precisions": PRECISIONS, "engines": [engine], "quantize": QuantizeOptions()}
    bundle = exported(tmp_path, enter, torch.uint8, **options)
    for variant in bundle.manifest.variants:
        assert variant.delegation.fallback == (), variant.name
        assert variant.parity.sqnr_db is None or variant.parity.sqnr_db > 20, variant.name
