"""Fetching the corpus: checked by sha256, whole or not at all, one source's failure is no other's."""

import base64
import dataclasses
import hashlib
import json
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.errors import DataError
from runtime.web.pages.corpus import fetch_source, fetch_sources, find_pages, load_index
from runtime.web.pages.corpus.fetching import site_folder
from tests.runtime.web.pages.corpus.toy_archive import ARCHIVE, index_of, write_archive


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archives"
    folder.mkdir()
    return write_archive(folder)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_archive_given_is_checked_and_unpacked(tmp_path, archive):
    index, corpus = index_of(archive), tmp_path / "corpus"
    assert fetch_source(index, "toy", corpus, archive.parent).state == "fetched"
    site = site_folder(corpus, index.source("toy"))
    assert files_in(corpus) == [f"{site.name}/{name}" for name in ("a.html", "css/style.css", "sub/b.html")]
    assert [page.name for page in find_pages(corpus, index=index)] == ["toy/a", "toy/sub/b"]


def test_what_is_here_is_not_fetched_again(tmp_path, archive):
    index, corpus = index_of(archive), tmp_path / "corpus"
    fetch_source(index, "toy", corpus, archive)
    archive.unlink()
    again = fetch_source(index, "toy", corpus, archive.parent)
    assert (again.state, again.pages) == ("here", 2)


def test_a_source_of_which_a_page_is_lost_is_fetched_again(tmp_path, archive):
    index, corpus = index_of(archive), tmp_path / "corpus"
    fetch_source(index, "toy", corpus, archive)
    lost = site_folder(corpus, index.source("toy")) / "a.html"
    lost.unlink()
    assert fetch_source(index, "toy", corpus, archive).state == "fetched"
    assert lost.is_file()


@pytest.mark.parametrize("damage", ["changed", "missing", "cut"])
def test_a_wrong_archive_leaves_nothing_behind(tmp_path, archive, damage):
    index, corpus = index_of(archive), tmp_path / "corpus"
    if damage == "changed":
        archive.write_bytes(archive.read_bytes() + b"\0")
    elif damage == "missing":
        archive.unlink()
    else:
        archive.write_bytes(archive.read_bytes()[:200])
        index = index_of(archive)
    words = {"changed": "has sha256", "missing": "is not there; put", "cut": "cannot be unpacked"}
    with pytest.raises(DataError, match=words[damage]):
        fetch_source(index, "toy", corpus, archive.parent)
    assert list(corpus.iterdir()) == []


def test_links_and_paths_that_lead_out_are_not_unpacked(tmp_path, archive):
    link = tarfile.TarInfo("package/dist/link.css")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    out = tarfile.TarInfo("package/dist/../../../out.css")
    out.size = 1
    absolute = tarfile.TarInfo("/package/dist/absolute.css")
    absolute.size = 1
    changed = write_archive(archive.parent, extra=(link, out, absolute))
    fetch_source(index_of(changed), "toy", tmp_path / "corpus", changed)
    assert not {"link.css", "out.css", "absolute.css"} & {path.name for path in tmp_path.rglob("*.css")}


def test_one_source_that_fails_keeps_no_other_from_being_fetched(tmp_path, archive):
    index = index_of(archive)
    lost = dataclasses.replace(index.sources[0], name="lost", archive="lost.tgz")
    both = dataclasses.replace(index, sources=(lost, *index.sources))
    results = fetch_sources(both, (), tmp_path / "corpus", archive.parent)
    assert [(row.source, row.state, row.pages) for row in results] == [
        ("lost", "failed", 0),
        ("toy", "fetched", 2),
    ]
    assert "put lost.tgz there" in results[0].fault


def test_a_source_that_is_unknown_is_refused_before_anything_is_fetched(tmp_path, archive):
    with pytest.raises(ValueError, match="there is no source 'x'; choose one of toy"):
        fetch_sources(index_of(archive), ("toy", "x"), tmp_path / "corpus", archive.parent)
    assert not (tmp_path / "corpus").exists()


@pytest.fixture
def registry(archive):
    """A registry of npm's kind on loopback, which has the toy site."""
    data = archive.read_bytes()
    sha512 = base64.b64encode(hashlib.sha512(data).digest()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            dist = {"tarball": f"{url}/toy-site/-/{ARCHIVE}", "integrity": f"sha512-{sha512}"}
            version = {"name": "toy-site", "version": "1.0.0", "dist": dist}
            listing = {"name": "toy-site", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
            body = data if self.path.endswith(".tgz") else json.dumps(listing).encode()
            self.send_response(200 if self.path.startswith("/toy-site") else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture
def npm(registry, tmp_path, monkeypatch):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt install npm)")
    monkeypatch.setenv("npm_config_registry", registry)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")


def test_npm_fetches_from_the_registry_that_it_is_set_to(tmp_path, archive, npm):
    messages = []
    found = fetch_source(index_of(archive), "toy", tmp_path / "corpus", on_message=messages.append)
    assert (found.state, found.pages) == ("fetched", 2)
    assert messages == ["toy: toy-site 1.0.0, 0 MB"]


def test_a_package_that_the_registry_has_not_is_said_with_what_to_do(tmp_path, archive, npm):
    index = index_of(archive)
    unknown = dataclasses.replace(index.sources[0], package="no-such-site")
    other = dataclasses.replace(index, sources=(unknown,))
    with pytest.raises(DataError, match=f"npm has no no-such-site 1.0.0 .*fetch {ARCHIVE} elsewhere"):
        fetch_source(other, "toy", tmp_path / "corpus")


def program(folder, name, lines):
    """Write a program that stands in for a registry's client."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / name).chmod(0o755)


def test_apt_is_asked_for_the_version_of_the_index(tmp_path, archive, monkeypatch):
    program(tmp_path / "bin", "apt-get", f'[ "$*" = "download --quiet toy-site=1.0.0" ] && cp {archive} .')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert fetch_source(index_of(archive, "apt"), "toy", tmp_path / "corpus").state == "fetched"


def test_lists_of_packages_that_are_too_old_are_said_to_be(tmp_path, archive, monkeypatch):
    program(tmp_path / "bin", "apt-get", "echo 'E: Version 1.0.0 for toy-site was not found' >&2; exit 100")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(DataError, match=r"was not found.*run apt-get update and try again"):
        fetch_source(index_of(archive, "apt"), "toy", tmp_path / "corpus")


def test_a_client_that_is_not_here_is_named(tmp_path, archive, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no npm here; install npm .* with --from"):
        fetch_source(index_of(archive), "toy", tmp_path / "corpus")


def test_the_index_has_enough_pages_of_enough_families():
    index = load_index()
    assert len(index.pages) >= 150
    families = [page.family for page in index.pages]
    assert max(families.count(family) for family in families) <= 20
    assert min(page.screens for page in index.pages) >= 2
    assert len({page.name for page in index.pages}) == len(index.pages)
    assert {page.source for page in index.pages} == {source.name for source in index.sources}
    assert all(len(source.sha256) == 64 for source in index.sources)
