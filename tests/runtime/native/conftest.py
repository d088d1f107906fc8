"""The native runner, built once per machine and kept in the user's cache."""

import pytest

from runtime.errors import DeviceStableError
from runtime.native import find_runner


@pytest.fixture(scope="session")
def runner():
    try:
        found = find_runner()
    except DeviceStableError as err:
        pytest.skip(f"no native runner: {err}")
    if found.runner is None:
        pytest.skip(f"no native runner: {found.reason}")
    return found.runner
