"""The folder of a pushed bundle is made where it belongs, whatever the names on its way hold."""

import hashlib
import subprocess

import pytest

from edgekit.push.push import _lay_out
from tests.runtime.phone import make_bundle


class HereAsDevice:
    """A device that is a folder of this machine."""

    where = "ssh:here"

    def __init__(self, home, cwd):
        self.home, self._cwd = str(home), cwd
        (home / "objects").mkdir(parents=True)

    def shell(self, script):
        return subprocess.run(
            ["sh", "-c", script], cwd=self._cwd, check=True, capture_output=True, text=True
        ).stdout

    def send(self, file, sha256):
        place = f"{self.home}/objects/{sha256}"
        with open(place, "wb") as out:
            out.write(file.read_bytes())
        return place


@pytest.mark.parametrize("name", ["plain", "with a space", "a $(touch owned) `touch owned` b", "-p 'q\" *"])
def test_folders_are_made_below_home_only(tmp_path, name):
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    files = HereAsDevice(tmp_path / name, cwd)
    bundle = make_bundle(tmp_path)
    bundle = bundle.add("deep folder/$(touch owned)/x y.json", b"{}", "report")
    sent = {entry.path: files.send(bundle.file(entry.path), entry.sha256) for entry in bundle.manifest.files}
    folder = _lay_out(files, bundle, sent)
    for entry in bundle.manifest.files:
        with open(f"{folder}/{entry.path}", "rb") as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == entry.sha256
    assert list(cwd.iterdir()) == []
    assert folder.startswith(f"{tmp_path / name}/bundles/")
