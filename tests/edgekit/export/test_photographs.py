"""ImageNet models, exported to both engines, still see what is on real photographs."""

from pathlib import Path

import pytest

from edgekit.data.weights import find_weights
from edgekit.export import export_bundle, find_origin
from runtime.engines import EngineProcess
from runtime.errors import MissingExtra
from runtime.processing.images import load_image

skimage = pytest.importorskip("skimage", reason="the photographs come with scikit-image")
PHOTOS = {"chelsea.png": "Egyptian cat", "coffee.png": "espresso"}
FOLDER = Path(skimage.__file__).parent / "data"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2"])
def test_exported_imagenet_models_know_cat_and_coffee(name, tmp_path):
    try:
        find_weights(name)
    except MissingExtra as err:
        pytest.skip(str(err))
    bundle = export_bundle(find_origin(name), tmp_path / f"{name}.edgekit")
    (image,) = bundle.manifest.graphs["forward"].inputs
    for variant in bundle.manifest.variants:
        with EngineProcess(variant.engine, bundle.file(variant.path)) as model:
            for photo, label in PHOTOS.items():
                scores = model.run([load_image(FOLDER / photo, image.image)]).outputs[0]
                assert bundle.labels()[int(scores.argmax())] == label, (variant.name, photo)
