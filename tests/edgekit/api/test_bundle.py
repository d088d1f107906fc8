"""A live model's bundle: runs what a notebook has at hand, names classes, shows and reports itself."""

import numpy as np
import pytest
import torch
from PIL import Image

import edgekit
from runtime.bundle import Bundle
from runtime.errors import BundleError


def test_a_live_model_becomes_a_bundle_that_takes_channels_last_and_stays_as_it_is(exported, cats):
    (graph,) = exported.manifest.graphs.values()
    (variant,) = exported.manifest.variants
    assert graph.inputs[0].shape == (1, 16, 16, 3)
    assert graph.inputs[0].image.layout == "nhwc"
    assert (variant.path, variant.delegation.partitions) == ("seg_xnnpack_fp32.tflite", 1)
    assert not variant.delegation.fallback
    assert variant.parity.max_abs < 1e-5
    assert cats.training


def test_the_file_gives_what_the_eager_model_gives_channels_first(bundle, cats):
    x = torch.rand(1, 3, 16, 16)
    outputs = bundle.run(x.permute(0, 2, 3, 1))
    with torch.no_grad():
        np.testing.assert_allclose(outputs["output"], cats.eval()(x).numpy(), atol=1e-5)
    assert outputs.provenance == "measured"
    assert "output float32(1, 3); litert-fp32" in repr(outputs)


def test_pictures_of_any_kind_give_the_same_named_classes(bundle):
    picture = Image.open("cat.png")
    tops = [bundle.run(given).top(2) for given in ("cat.png", picture, np.asarray(picture))]
    assert tops[0] == tops[1] == tops[2]
    assert [guess.label for guess in tops[0]] == ["cat", "dog"]
    assert 0.5 < tops[0][0].probability < 1


def test_it_is_a_bundle_to_every_function_of_the_library(bundle):
    assert isinstance(bundle, Bundle)
    assert isinstance(edgekit.load(Bundle.open("seg.edgekit")), edgekit.Bundle)
    assert bundle.inspect().variants == ("litert-fp32",)
    text = str(bundle.inspect())
    assert "image float32 1x16x16x3, a photograph (nhwc)" in text
    assert "labels: 3 (cat, dog, cow)" in text


def test_a_bare_file_runs_too_but_keeps_no_results(bundle):
    file = edgekit.load(bundle.file(bundle.manifest.variant().path))
    assert file.run(np.zeros((1, 16, 16, 3), np.float32))[0].shape == (1, 3)
    assert "in 1" in str(file.inspect())
    with pytest.raises(BundleError, match="is not a bundle"):
        file.report()


def test_a_report_shows_what_was_tuned_after_the_bundle_was_loaded(bundle):
    pytest.importorskip("jinja2")
    edgekit.bench(bundle, target="virtual:sdm845")
    edgekit.tune(bundle, target="virtual:sdm845", fps=30)
    assert "virtual:sdm845" in bundle.report("seg.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"example_inputs": None}, ValueError, "comes without example inputs"),
        ({"example_inputs": "x"}, ValueError, "input 0 is str; inputs are tensors or arrays"),
        ({"weights": "none"}, TypeError, "weights is for a model by name"),
        ({"model": 3}, TypeError, "the model is int; give a torch.nn.Module"),
        ({"model": "resnet20"}, TypeError, "resnet20 brings its own: leave them out"),
        ({"max_drop": 0.01}, ValueError, "max_drop is for quantisation"),
        ({"engines": []}, ValueError, "no engine is given"),
    ],
)
def test_wrong_arguments_of_export_are_told(tmp_path, cats, arguments, error, message):
    given = {"model": cats, "example_inputs": torch.zeros(1, 3, 16, 16), "out": tmp_path / "x.edgekit"}
    with pytest.raises(error, match=message):
        edgekit.export(**{"engines": ["litert"]} | given | arguments)
