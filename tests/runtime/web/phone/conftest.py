import threading
import time
from urllib.parse import urlsplit

import pytest

from runtime.web.browser.attach import CHROME_SOCKET
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import pages_of
from tests.runtime.targets.fake_phone import FakePhones

LAYER = "SurfaceView[com.android.chrome/com.google.android.apps.chrome.Main](BLAST)#12"
OTHERS = ("StatusBar#3", "com.android.chrome/com.google.android.apps.chrome.Main#9")


@pytest.fixture
def phones(tmp_path, monkeypatch):
    pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
    return FakePhones(tmp_path, monkeypatch)


@pytest.fixture
def phone(phones):
    """A phone without root, at 60 Hz, whose layer has shown a frame."""
    return with_screen(phones.add("P6"))


@pytest.fixture
def rooted(phones):
    return with_screen(phones.add("P6", is_rooted=True))


def with_screen(phone):
    phone.draw(LAYER, *OTHERS)
    phone.present(time.monotonic_ns())
    return phone


@pytest.fixture
def with_chrome(browser):
    """What puts this machine's browser on a phone."""

    def put(phone, socket=CHROME_SOCKET):
        phone.listen(socket, urlsplit(browser.endpoint).port)

    return put


@pytest.fixture
def ticking():
    """What has a phone show frames at an even pace, as its compositor says."""
    ended, threads = threading.Event(), []

    def tick(phone, hz):
        def run():
            # By the clock, however late the thread comes to run.
            shown_ns = time.monotonic_ns()
            while not ended.wait(0.05):
                due_ns = range(shown_ns, time.monotonic_ns(), round(1e9 / hz))
                phone.present(*due_ns[1:])
                shown_ns = due_ns[-1]

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()

    yield tick
    ended.set()
    for thread in threads:
        thread.join()


class DisplayedFrames:
    """Has a phone's compositor tell of the frames that a real browser displays, by a count of its own.

    A screencast of few pixels gives one event for each displayed frame (56.9 of 56.9 a second).
    """

    def __init__(self, endpoint, phone):
        self._connection, self._phone, self._ended = Connection(endpoint), phone, threading.Event()
        self._since_boot_s = time.time() - time.monotonic()
        self._known = {info["targetId"] for info in pages_of(self._connection)}
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def close(self):
        self._ended.set()
        self._thread.join()
        self._connection.close()

    def _look(self):
        while not self._ended.wait(0.05):
            for info in pages_of(self._connection):
                if info["targetId"] not in self._known and info["url"].startswith("http"):
                    self._known.add(info["targetId"])
                    self._follow(info["targetId"])

    def _follow(self, target):
        session = self._connection.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

        def show(event):
            self._connection.send("Page.screencastFrameAck", session, sessionId=event["sessionId"])
            self._phone.present(round((event["metadata"]["timestamp"] - self._since_boot_s) * 1e9))

        self._connection.listen("Page.screencastFrame", show, session)
        size = {"maxWidth": 32, "maxHeight": 32}
        self._connection.call("Page.startScreencast", session, format="jpeg", quality=1, **size)


@pytest.fixture
def displaying(browser):
    """What has a phone's compositor show what the browser displays from now on."""
    made = []
    yield lambda phone: made.append(DisplayedFrames(browser.endpoint, phone))
    for each in made:
        each.close()
