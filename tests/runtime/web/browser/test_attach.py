import http.server
import threading
from urllib.parse import urlsplit

import pytest

from runtime.errors import DeviceError, WebError
from runtime.web.browser.attach import CHROME_SOCKET, endpoint_of, forwarded
from runtime.web.browser.connection import Connection
from tests.runtime.targets.fake_phone import FakePhones


@pytest.fixture
def port(browser):
    return urlsplit(browser.endpoint).port


def test_a_running_browser_is_reached_by_its_address(browser, port):
    for address in (f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", f"localhost:{port}", browser.endpoint):
        with Connection(endpoint_of(address)) as cdp:
            assert "Chrom" in cdp.call("Browser.getVersion")["product"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9", "ftp://x", "127.0.0.1:99999", "http://", "127.0.0.1:x"]
)
def test_a_wrong_address_says_how_to_start_a_browser(address):
    with pytest.raises(WebError, match="--remote-debugging-port=9222"):
        endpoint_of(address)


@pytest.mark.parametrize("answer", [b"<html>", b'{"Browser": "x"}', b"[" * 9999, b"\xff"])
def test_what_is_no_browser_is_told(answer):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(WebError, match=f"127.0.0.1:{server.server_address[1]}"):
            endpoint_of(f"127.0.0.1:{server.server_address[1]}")
        server.shutdown()


@pytest.fixture
def phone(tmp_path, monkeypatch):
    pytest.importorskip("devlib")
    return FakePhones(tmp_path / "phones", monkeypatch).add("R5CT1234")


def test_a_phone_s_browser_is_reached_through_adb(phone, port):
    phone.listen(CHROME_SOCKET, port)
    with forwarded("R5CT1234") as endpoint, Connection(endpoint) as cdp:
        assert "Chrom" in cdp.call("Browser.getVersion")["product"]
    calls = (phone.path.parent.parent / "calls").read_text()
    assert f"forward --remove tcp:{port}" in calls


def test_a_phone_without_a_browser_and_one_that_is_gone(phone):
    phone.write("proc/net/unix", "Num RefCount Protocol Flags Type St Inode Path\n")
    none = r"adb:R5CT1234 has no socket .*: no browser runs on it.*open Chrome on the phone"
    with pytest.raises(WebError, match=none), forwarded("R5CT1234"):
        pass
    phone.listen(CHROME_SOCKET, 9)
    with (
        pytest.raises(WebError, match=r"adb:R5CT1234: nobody answers at chrome_devtools_remote; open Chrome"),
        forwarded("R5CT1234"),
    ):
        pass
    assert "forward --remove tcp:9" in (phone.path.parent.parent / "calls").read_text()
    phone.set_state("offline")
    with pytest.raises(DeviceError, match="offline"), forwarded("R5CT1234"):
        pass


def test_the_sockets_that_a_phone_has_are_named_where_another_was_asked_for(phone, port):
    phone.listen("webview_devtools_remote_512", port)
    with (
        pytest.raises(
            WebError, match=r"it has webview_devtools_remote_512; .*choose one of these with --devtools"
        ),
        forwarded("R5CT1234"),
    ):
        pass
    with (
        pytest.raises(
            WebError, match=r"it has webview.*_512; an app must call WebView.setWebContentsDebugging"
        ),
        forwarded("R5CT1234", "webview_devtools_remote_77"),
    ):
        pass
    with forwarded("R5CT1234", "webview_devtools_remote_512") as endpoint, Connection(endpoint) as cdp:
        assert "Chrom" in cdp.call("Browser.getVersion")["product"]


def test_a_phone_that_hides_its_sockets_is_asked_all_the_same(phone):
    with pytest.raises(DeviceError, match="R5CT1234"), forwarded("R5CT1234"):
        pass  # nobody listens behind the forwarding
