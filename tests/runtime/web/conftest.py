import pytest

from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection


@pytest.fixture(scope="session")
def browser(chromium):
    """One real browser for all tests of a process."""
    with Browser(Launch(chromium, only_loopback=True)) as running:
        yield running


@pytest.fixture
def cdp(browser):
    with Connection(browser.endpoint) as connection:
        yield connection
