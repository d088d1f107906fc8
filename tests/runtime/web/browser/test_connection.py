import threading

import pytest

from runtime.errors import WebError
from runtime.web.browser.connection import Connection
from tests.runtime.web.toys import FakeBrowser


def test_answers_and_events_reach_whoever_asked():
    seen, came = [], threading.Event()
    doubling = {"A.b": lambda params: {"twice": 2 * params["x"]}}
    with FakeBrowser(doubling) as browser, Connection(browser.endpoint) as cdp:
        assert cdp.call("A.b", x=4) == {"twice": 8}
        end = cdp.listen("Page.hello", lambda event: (seen.append(event), came.set()), session="S")
        browser.tell('{"method": "Page.hello", "params": {"n": 1}, "sessionId": "S"}')
        browser.tell('{"method": "Page.hello", "params": {"n": 2}, "sessionId": "other"}')
        assert came.wait(5)
        end()
        browser.tell('{"method": "Page.hello", "params": {"n": 3}, "sessionId": "S"}')
        cdp.call("A.b", x=1)
    assert seen == [{"n": 1}]


def test_a_refusal_is_one_line_that_names_the_call():
    refusing = {"A.b": {"message": "no such\nthing \x1b[2J"}}
    match = r"^A\.b: no such thing \\x1b"
    with (
        FakeBrowser(refusing) as browser,
        Connection(browser.endpoint) as cdp,
        pytest.raises(WebError, match=match),
    ):
        cdp.call("A.b")


def test_silence_ends_after_the_time_that_was_given():
    with (
        FakeBrowser({"A.b": None}) as browser,
        Connection(browser.endpoint) as cdp,
        pytest.raises(WebError, match=r"did not answer A\.b within 0.05 s"),
    ):
        cdp.call("A.b", timeout_s=0.05)


def test_a_browser_that_goes_fails_what_waits_and_what_follows():
    with FakeBrowser({"A.b": None}) as browser, Connection(browser.endpoint) as cdp:
        waiting = cdp.send("A.b")
        assert browser.began.wait(5)
        browser.connections[0].close()
        with pytest.raises(WebError, match="browser"):
            waiting.result(5)
        with pytest.raises(WebError, match="browser"):
            cdp.call("A.b")


@pytest.mark.parametrize("text", ["no json", "[" * 5000, '{"id": "x"}', b"\xff"])
def test_what_is_no_message_ends_the_connection_in_an_error_of_ours(text):
    with FakeBrowser({"A.b": None}) as browser, Connection(browser.endpoint) as cdp:
        waiting = cdp.send("A.b")
        browser.tell(text)
        with pytest.raises(WebError):
            waiting.result(5)


def test_nobody_at_the_address():
    with pytest.raises(WebError, match=r"no browser answers at ws://127\.0\.0\.1:1/.*--cdp"):
        Connection("ws://127.0.0.1:1/devtools/browser/1")
