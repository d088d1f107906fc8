"""A package index of a few wheels on loopback, as PEP 503 has it; and whether the real one is there."""

import contextlib
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Index:
    url: str
    given: list[str] = field(default_factory=list)  # names of the wheels that somebody fetched


@contextlib.contextmanager
def serve_index(wheels, folder):
    """Serve copies of ``wheels``; the index is empty of everything else."""
    for wheel in wheels:
        project = folder / "simple" / wheel.name.partition("-")[0].lower().replace("_", "-")
        project.mkdir(parents=True, exist_ok=True)
        (project / wheel.name).write_bytes(wheel.read_bytes())
        links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in project.glob("*.whl"))
        (project / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_request(self, code="-", size="-"):
            if self.path.endswith(".whl"):
                index.given.append(self.path.rpartition("/")[2])

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index = Index(f"http://127.0.0.1:{server.server_port}/simple")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield index
        finally:
            server.shutdown()


def skip_without_index(folder):
    download = [sys.executable, "-m", "pip", "download", "--no-deps", "-qd", folder, "click"]
    if subprocess.run(download).returncode:
        pytest.skip("the package index cannot be reached")
