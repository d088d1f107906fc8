"""Files that the tests of this folder export are run by the native runner."""

import pytest

from tests.edgekit.small_net import native_runner


@pytest.fixture(scope="module", autouse=True)
def in_native_runner():
    with native_runner():
        yield
