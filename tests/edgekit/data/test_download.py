import hashlib

import pytest

from edgekit.data.download import cache_folder, fetch
from runtime.errors import DataError


def source(tmp_path, content=b"images"):
    path = tmp_path / "home" / "set.bin"
    path.parent.mkdir()
    path.write_bytes(content)
    return path.as_uri(), hashlib.sha256(content).hexdigest()


def test_fetch_writes_the_file_whole(tmp_path):
    url, sha256 = source(tmp_path)
    target = fetch(url, sha256, tmp_path / "cache" / "set.bin")
    assert target.read_bytes() == b"images"
    assert [p.name for p in target.parent.iterdir()] == ["set.bin"]


def test_fetch_leaves_a_file_that_is_there_alone(tmp_path):
    (tmp_path / "set.bin").write_bytes(b"mine")
    assert fetch("https://nowhere.invalid/set.bin", "0" * 64, tmp_path / "set.bin").read_bytes() == b"mine"


def test_wrong_sha256_leaves_nothing_and_says_where_to_put_the_file(tmp_path):
    url, _ = source(tmp_path)
    target = tmp_path / "cache" / "set.bin"
    with pytest.raises(DataError, match=f"expected {'0' * 64}; download it by hand and put it at {target}"):
        fetch(url, "0" * 64, target)
    assert list(target.parent.iterdir()) == []


def test_unreachable_home_leaves_nothing_and_says_where_to_put_the_file(tmp_path):
    target = tmp_path / "cache" / "set.bin"
    with pytest.raises(DataError, match=f"put it at {target}"):
        fetch((tmp_path / "missing").as_uri(), "0" * 64, target)
    assert list(target.parent.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(DataError, match="set XDG_CACHE_HOME"):
        fetch("https://nowhere.invalid/x", "0" * 64, tmp_path / "cache" / "x")


def test_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("digits") == tmp_path / "edgekit" / "data" / "digits"
