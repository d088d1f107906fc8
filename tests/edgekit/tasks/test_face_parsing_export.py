"""A parser's files hold one delegate, and its bundle parses a picture whose face's box is given."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from edgekit.cli import cli
from edgekit.data.faces import FACE_CLASSES, faces_dataset, toy_portraits
from edgekit.export.graph import Origin
from edgekit.export.pipeline import export_bundle
from edgekit.models import ModelSpec
from edgekit.tasks import Examples, FaceParsing
from edgekit.training import fit_spec
from runtime.processing.prepare import prepare
from runtime.processing.sampling import labels_on_picture

pytestmark = pytest.mark.slow  # exports a network for each engine


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_a_bundle_parses_as_the_network_does(tmp_path, engine):
    task, portraits = FaceParsing(channels=8), toy_portraits(2, training=False)
    data = faces_dataset("toy", portraits, portraits, task.pre, size=64)
    torch.manual_seed(0)
    net = task.build(fit_spec(ModelSpec("resnet18", width=0.25), data)).eval()
    inputs, _ = data.test.batch([0, 1])
    graphs = task.graphs(net, Examples(inputs, "toy faces", data.image))
    origin = Origin("faces", graphs, FACE_CLASSES, {}, task)
    bundle = export_bundle(origin, tmp_path / "faces.edgekit", engines=(engine,))
    (variant,) = bundle.manifest.variants
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())

    portrait, mask = portraits[1], tmp_path / "out.mask.png"
    Image.fromarray(portrait.picture).save(tmp_path / "face.png")
    box = ",".join(f"{edge:.6f}" for edge in portrait.box)
    args = ["run", bundle.path, "--input", tmp_path / "face.png", f"--box={box}", "-o", mask]
    done = CliRunner().invoke(cli, [*map(str, args)])
    assert done.exit_code == 0, done.output
    seen, placement = prepare(Image.fromarray(portrait.picture), task.pre, data.image, portrait.box)
    with torch.inference_mode():
        found = net(torch.from_numpy(seen))[0].argmax(0).numpy().astype(np.uint8)
    assert (np.asarray(Image.open(mask)) == labels_on_picture(found, placement, 0)).mean() > 0.999
