"""The page server: right types, nothing from outside of the folder, no noise."""

import http.client
import os
import urllib.error
import urllib.request

import pytest

from runtime.errors import WebError
from runtime.web.pages.server import serve


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("<p>home")
    (folder / "sub" / "index.html").write_text("<p>sub")
    (folder / "a b.css").write_text("p {}")
    (folder / "code.mjs").write_text("1")
    (folder / "empty").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "circle").symlink_to("circle")
    with serve(folder) as served:
        yield served


def status(site, path):
    """Return what is answered to a path that no client would tidy up first."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("", "text/html", b"<p>home"),
        ("sub/", "text/html", b"<p>sub"),
        ("sub", "text/html", b"<p>sub"),  # by way of a redirect
        ("a b.css", "text/css", b"p {}"),
        ("code.mjs", "text/javascript", b"1"),
    ],
)
def test_files_come_with_their_types(site, path, kind, text):
    with urllib.request.urlopen(site.url(path), timeout=5) as answer:
        assert answer.headers["Content-Type"] == kind
        assert answer.read() == text


def test_a_query_does_not_change_which_file_is_meant(site):
    assert status(site, "/index.html?v=../../secret.txt") == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "//etc/passwd",
        "/link.txt",
        "/circle",
        "/%00",
        "/" + "a" * 5000,
        "/empty/",
        "/nothing.html",
    ],
)
def test_what_is_not_in_the_folder_is_not_found(site, path):
    assert status(site, path) == 404


def test_a_reader_that_leaves_is_no_news(site, tmp_path, capfd):
    (site.folder / "large.bin").write_bytes(os.urandom(1 << 20) * 8)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("GET", "/large.bin")
    connection.getresponse().read(10)
    connection.sock.close()
    assert status(site, "/index.html") == 200
    assert capfd.readouterr() == ("", "")


def test_nothing_is_served_after_the_block(tmp_path):
    with serve(tmp_path) as served:
        url = served.url("x")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)


def test_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(WebError, match="is no folder; give the folder"), serve(tmp_path / "none"):
        pass
