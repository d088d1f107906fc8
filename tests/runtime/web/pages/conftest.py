"""Toy pages shown in a real browser."""

import contextlib

import pytest

from runtime.web.browser.connection import Connection
from runtime.web.pages.loading import loaded
from runtime.web.pages.server import serve


@pytest.fixture(scope="session")
def connection(browser):
    """A connection that pages of several tests stay open on."""
    with Connection(browser.endpoint) as opened:
        yield opened


@pytest.fixture
def show(connection, tmp_path):
    """Return a function that shows the HTML of a body on a phone's screen."""
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(serve(tmp_path))

        def show_page(body, head=""):
            name = f"{len(list(tmp_path.iterdir()))}.html"
            (tmp_path / name).write_text(
                '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                f"<style>body {{ margin: 0; }}</style>{head}<body>{body}"
            )
            return stack.enter_context(loaded(connection, site.url(name)))

        yield show_page
