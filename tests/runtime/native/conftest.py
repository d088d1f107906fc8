"""The native runner, built once per machine and kept in the user's cache."""

import pytest

from runtime.errors import DeviceStableError
from runtime.native import find_runner
from runtime.native.build import find_compiler
from runtime.native.runner import this_arch


@pytest.fixture(scope="session")
def runner():
    pytest.importorskip("executorch", reason="its libraries are what the runner is linked to")
    try:
        find_compiler(this_arch())
    except DeviceStableError as err:
        pytest.skip(str(err))
    found = find_runner()
    assert found.runner is not None, found.reason
    return found.runner
