import numpy as np
import pytest

from edgekit.data import Dataset, Split
from runtime.bundle import Bundle, ImageSpec
from tests.once import make_once


@pytest.fixture(autouse=True)
def a_log_of_100_columns(monkeypatch):
    """Tables are laid out for the width that a log has, however the tests are run."""
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="session")
def toy_data():
    """64 + 32 grey images of 8x8 pixels: bright above (class 0) or below (class 1), on noise."""
    image = ImageSpec(size=8, resize=8, mean=(0.5,), std=(0.25,), channels=1)
    rng = np.random.default_rng(0)

    def split(count):
        labels = np.arange(count) % 2
        images = rng.integers(0, 120, size=(count, 8, 8, 1), dtype=np.uint8)
        for pixels, label in zip(images, labels, strict=True):
            pixels[4 * label : 4 * label + 4] += 100
        return Split(images, labels.astype(np.int64), image)

    return Dataset("toy", split(64), split(32), ["above", "below"], image)


@pytest.fixture(scope="session")
def small_net(tmp_path_factory):
    """A ``SmallNet``: exported once per test run."""
    from tests.edgekit.small_net import NAME, SmallNet, make_origin, write_bundle

    folder = make_once(tmp_path_factory, "small-net", write_bundle)
    return SmallNet(make_origin(), Bundle.open(folder / NAME))
