"""A page in a real browser, and a governor whose machine is a tree of files."""

import pytest

from runtime.govern.governor.gestures import HeldStrategy
from runtime.govern.governor.server import Server
from runtime.web.browser.chromium import Browser
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import open_page
from tests.runtime.govern.governor.talk import in_a_thread
from tests.runtime.govern.governor.toy import toy
from tests.runtime.web.governing.pages import PAGE, ROWS


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser):
    with Connection(browser.endpoint) as connection, open_page(connection) as page:
        page.navigate(PAGE)
        yield page


@pytest.fixture
def phone(tmp_path):
    phone = toy(tmp_path, hold=lambda cluster, freq_khz: HeldStrategy(ROWS, cluster, freq_khz))
    server = Server(phone.governor, tmp_path / "g.sock", on_message=phone.messages.append)
    with phone.clocks, server, in_a_thread(server) as path:
        phone.path, phone.held = path, []
        hold = phone.governor.hold
        phone.governor.hold = lambda number, *setting: (phone.held.append(setting), hold(number, *setting))[1]
        yield phone
