import contextlib
import http.server
import threading

import pytest

from runtime.targets.adb.shell import AdbShell
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import open_page
from runtime.web.phone.loopback import block_remote_hosts, reversed_ports


@contextlib.contextmanager
def serving():
    """Serve a page on every address of this machine; yield the port and the hosts that were asked for."""
    hosts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hosts.append(self.headers["Host"].partition(":")[0])
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(b"<title>page</title>")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], hosts
        server.shutdown()


def test_a_page_of_this_machine_reaches_no_other_host(chromium):
    with (
        serving() as (port, hosts),
        Browser(Launch(chromium)) as browser,
        Connection(browser.endpoint) as cdp,
    ):
        with open_page(cdp) as page:
            page.navigate(f"http://127.0.0.1:{port}/")
            assert page.evaluate(f"fetch('http://127.0.0.2:{port}/x').then(answer => answer.status)") == 200
        with open_page(cdp) as page:
            block_remote_hosts(page)
            page.navigate(f"http://127.0.0.1:{port}/")
            assert page.evaluate(f"fetch('http://127.0.0.1:{port}/y').then(answer => answer.status)") == 200
            blocked = f"fetch('http://127.0.0.2:{port}/z').then(() => 'reached', () => 'blocked')"
            assert page.evaluate(blocked) == "blocked"
            assert page.evaluate("fetch('data:,word').then(answer => answer.text())") == "word"
    assert hosts.count("127.0.0.2") == 1


@pytest.mark.parametrize(
    ("urls", "ports"),
    [
        (("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b", "http://localhost/"), ("8000", "80")),
        (("https://example.org/", "data:text/html,x"), ()),
    ],
)
def test_each_port_of_this_machine_is_reversed_once_and_taken_back(phone, urls, ports):
    with reversed_ports(AdbShell("P6")) as reached:
        for url in urls:
            reached.reach(url)
    calls = [
        line for line in (phone.path.parent.parent / "calls").read_text().splitlines() if "reverse" in line
    ]
    assert [line for line in calls if "remove" not in line] == [f"reverse tcp:{p} tcp:{p}" for p in ports]
    assert {line for line in calls if "remove" in line} == {f"reverse --remove tcp:{p}" for p in ports}
