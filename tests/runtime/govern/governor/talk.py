"""A client of the governor's socket that speaks the protocol by hand."""

import contextlib
import json
import os
import socket
import threading

OWN = [os.getpid()]  # threads of a session: any that exist


@contextlib.contextmanager
def in_a_thread(server):
    """Serve beside the test, for clients that wait for their answers."""
    over = threading.Event()
    thread = threading.Thread(target=server.serve, args=(over.is_set,))
    thread.start()
    try:
        yield str(server.path)
    finally:
        over.set()
        thread.join()


class Talk:
    """The server answers in this very thread."""

    def __init__(self, phone):
        self.phone = phone
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(phone.server.path))
        phone.server.step(5)
        self.socket.settimeout(5)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)
        self.phone.server.step(5)

    def answer(self):
        while b"\n" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def ask(self, **request):
        self.send(json.dumps(request).encode() + b"\n")
        return self.answer()
