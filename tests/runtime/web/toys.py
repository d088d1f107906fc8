"""Small pages, and a browser that speaks the protocol without drawing anything."""

import contextlib
import json
import threading
from urllib.parse import quote

PHONE_META = "<meta name=viewport content='width=device-width'>"


def page(body="", head=PHONE_META, screens=20, script=""):
    """Return the address of a page that is ``screens`` high."""
    html = f"<title>toy</title>{head}<body style='height:{915 * screens}px'>{body}<script>{script}</script>"
    return "data:text/html," + quote(html)


def busy(work_ms, **options):
    """Return the address of a page whose main thread computes for ``work_ms`` at every scroll event."""
    loop = f"const end = performance.now() + {work_ms}; while (performance.now() < end);"
    script = (
        f"addEventListener('scroll', () => {{ {loop} document.body.style.paddingLeft = scrollY % 7 + 'px' }})"
    )
    lines = "".join(f"<p>line {i}" for i in range(200))
    return page(lines, script=script, **options)


class FakeBrowser:
    """Answers calls as ``answers`` says: a dictionary, a function of the parameters, ``None`` for silence."""

    def __init__(self, answers):
        from websockets.sync.server import serve

        self.answers, self.calls, self.connections, self.began = answers, [], [], threading.Event()
        self.server = serve(self._talk, "127.0.0.1", 0)
        self.endpoint = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/devtools/browser/1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for connection in self.connections:
            with contextlib.suppress(Exception):
                connection.close()
        self.server.shutdown()

    def tell(self, text):
        assert self.began.wait(5)
        for connection in self.connections:
            connection.send(text)

    def _talk(self, connection):
        self.connections.append(connection)
        self.began.set()
        for text in connection:
            call = json.loads(text)
            self.calls.append(call)
            answer = self.answers.get(call["method"], {})
            if callable(answer):
                answer = answer(call["params"])
            if answer is not None:
                kind = "error" if "message" in answer else "result"
                connection.send(json.dumps({"id": call["id"], kind: answer}))
