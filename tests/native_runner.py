"""ExecuTorch without torch, for tests that start many processes."""

import contextlib

import pytest

from runtime.engines.native import find_runner


@contextlib.contextmanager
def native_runner():
    """Run .pte files by the native runner where there is one: without, each process loads torch for 2 s.

    tests/runtime/engines/native proves that its outputs are those of the Python binding.
    """
    with pytest.MonkeyPatch.context() as patch:
        if find_runner().runner is not None:
            patch.setenv("EDGEKIT_EXECUTORCH", "native")
        yield
