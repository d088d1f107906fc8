"""Settings of every test run, and what tests of both sides need."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from runtime.web.browser.chromium import find_browser
from tests.browser import why_missing

_NO_BROWSER = "no browser"

# Tests run two at a time on two cores: thread pools of their own would only wait for each other,
# and OpenMP's waiting threads spin. Set before anything imports torch; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell ignores these for what it runs in the background; programs that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# How long an example takes says on a shared machine how much else runs there, and nothing of the example.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def runner():
    """The native ExecuTorch runner, built once per machine and kept in the user's cache."""
    from runtime.engines.native import find_runner
    from runtime.engines.native.build import find_compiler
    from runtime.engines.native.runner import this_arch
    from runtime.errors import DeviceStableError

    pytest.importorskip("executorch", reason="its libraries are what the runner is linked to")
    try:
        find_compiler(this_arch())
    except DeviceStableError as err:
        pytest.skip(str(err))
    found = find_runner()
    assert found.runner is not None, found.reason
    return found.runner


@pytest.fixture(scope="session")
def chromium():
    """A real browser's program; how many tests lacked it is said at the end."""
    if (reason := why_missing()) is not None:
        pytest.skip(f"{_NO_BROWSER}: {reason}")
    return find_browser()


def pytest_terminal_summary(terminalreporter):
    lacking = [r for r in terminalreporter.stats.get("skipped", ()) if _NO_BROWSER in str(r.longrepr)]
    if lacking:
        terminalreporter.write_line(
            f"{len(lacking)} tests of web pages DID NOT RUN: {why_missing()}", red=True
        )
