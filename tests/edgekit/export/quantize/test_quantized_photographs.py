"""ImageNet models in int8 still see what is on real photographs, none of which calibrated them."""

from pathlib import Path

import pytest

from edgekit.data.weights import find_weights
from edgekit.export import QuantizeOptions, export_bundle, find_origin
from edgekit.export.quantize import find_calibration
from runtime.engines import EngineProcess
from runtime.errors import MissingExtra
from runtime.processing.images import load_image

skimage = pytest.importorskip("skimage", reason="the photographs come with scikit-image")
PHOTOS = {"chelsea.png": "Egyptian cat", "coffee.png": "espresso"}
FOLDER = Path(skimage.__file__).parent / "data"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2"])
@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_quantised_imagenet_models_know_cat_and_coffee(name, engine, tmp_path):
    try:
        find_weights(name)
    except MissingExtra as err:
        pytest.skip(str(err))
    origin = find_origin(name)
    precisions = ["static_wi8_ai8", "dynamic_wi8_afp32"]
    quantize = QuantizeOptions(calibration=find_calibration(origin))
    path = tmp_path / f"{name}.edgekit"
    bundle = export_bundle(origin, path, engines=[engine], precisions=precisions, quantize=quantize)
    (image,) = bundle.manifest.graphs["forward"].inputs
    for variant in bundle.manifest.variants:
        assert bundle.file(variant.path).stat().st_size < 6e6
        with EngineProcess(variant.engine, bundle.file(variant.path)) as model:
            for photo, label in PHOTOS.items():
                scores = model.run([load_image(FOLDER / photo, image.image)]).outputs[0]
                assert bundle.labels()[int(scores.argmax())] == label, (variant.name, photo)
