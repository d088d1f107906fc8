"""Files that the tests of this folder export are run by the native runner."""

import pytest

from tests.native_runner import native_runner


@pytest.fixture(scope="module", autouse=True)
def run_natively():
    with native_runner():
        yield
