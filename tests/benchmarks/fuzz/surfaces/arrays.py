"""Inputs of a network as arrays of numpy."""

from __future__ import annotations

import io
from pathlib import Path

import click
import numpy as np

from runtime.bundle import ImageSpec, TensorSpec
from runtime.processing.inputs import load_frame
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface

_IMAGE = ImageSpec(8, 8, (0.0,) * 3, (1.0,) * 3)


@surface("arrays", quick=200, share=3)
def arrays(folder: Path) -> Prepared:
    """Arrays, archives of them and pictures, as `edgekit run --input` takes them."""
    from PIL import Image

    x, y = TensorSpec("x", "float32", (1, 2, 3)), TensorSpec("y", "int64", (1, 4))
    picture = TensorSpec("x", "float32", (1, 3, 8, 8), _IMAGE)
    plain, archive, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(plain, np.ones((1, 2, 3), np.float32))
    both = {"x": np.ones((1, 2, 3), np.float32), "y": np.ones((1, 4), np.int64)}
    np.savez(archive, **both)
    np.savez_compressed(packed, **both)
    samples = [
        Sample("x.npy", plain.getvalue(), "npy"),
        Sample("xy.npz", archive.getvalue(), "zip"),
        Sample("packed.npz", packed.getvalue(), "zip"),
    ]
    for suffix in ("png", "jpeg", "bmp", "gif"):
        out = io.BytesIO()
        Image.fromarray(np.full((9, 9, 3), 7, np.uint8)).save(out, suffix)
        samples.append(Sample(f"photo.{suffix}", out.getvalue(), "binary"))

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        path.write_bytes(data)
        specs = [x, y] if sample.name.endswith("npz") else [x] if sample.name.endswith("npy") else [picture]
        try:
            load_frame(path, specs)
        except ValueError as err:  # as the command line answers it
            raise click.UsageError(str(err)) from err

    return Prepared(tuple(samples), read)
