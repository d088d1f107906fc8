"""The user's own pages in the corpus: addresses and saved pages."""

import urllib.request
from urllib.parse import urlsplit

import pytest

from runtime.errors import DataError
from runtime.web.pages.corpus import add_own, find_pages, load_index, opened, read_addresses, read_own


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in ("a.html", "b.html"):
        (folder / name).write_text("<p>x")
    return folder


def test_saved_pages_and_addresses_are_added_once(tmp_path, saved):
    corpus = tmp_path / "corpus"
    added = add_own(corpus, [str(saved), "https://example.org/news?p=1"])
    assert [page.name for page in added] == ["own/shop/a", "own/shop/b", "own/example.org/news?p=1"]
    assert [page.family for page in added] == ["shop", "shop", "example.org"]
    assert add_own(corpus, [str(saved / "a.html")]) == []
    assert len(read_own(corpus)) == 3


def test_an_added_page_is_served_with_what_lies_beside_it(tmp_path, saved):
    corpus = tmp_path / "corpus"
    add_own(corpus, [str(saved / "a.html")])
    (page,) = find_pages(corpus, "own/*")
    assert page.file == saved / "a.html"
    with opened([page]) as addresses:
        assert urllib.request.urlopen(addresses["own/shop/a"], timeout=5).read() == b"<p>x"


def test_pages_of_one_site_share_a_server_and_addresses_stay_as_they_are(tmp_path, saved):
    add_own(tmp_path, [str(saved), "https://example.org/"])
    with opened(find_pages(tmp_path, "own/*")) as addresses:
        ports = {name: urlsplit(address).port for name, address in addresses.items()}
    assert ports["own/shop/a"] == ports["own/shop/b"] is not None
    assert addresses["own/example.org"] == "https://example.org/"


def test_nothing_is_added_when_a_place_is_wrong(tmp_path, saved):
    corpus = tmp_path / "corpus"
    with pytest.raises(DataError, match="is not there; give an address"):
        add_own(corpus, [str(saved / "a.html"), str(tmp_path / "none.html")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no pages"):
        add_own(corpus, [str(tmp_path / "empty")])
    assert read_own(corpus) == []


def test_a_list_of_addresses_is_read_and_checked(tmp_path):
    path = tmp_path / "urls.txt"
    path.write_text("# shops\nhttps://a.example/\n\n  http://b.example/x  \n")
    assert read_addresses(path) == ["https://a.example/", "http://b.example/x"]
    path.write_text("https://a.example/\nfile:///etc/passwd\n")
    with pytest.raises(DataError, match="line 2: 'file:///etc/passwd' is no address"):
        read_addresses(path)


def test_a_damaged_list_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "own.json").write_text("{")
    with pytest.raises(DataError, match="remove it and add the pages again"):
        read_own(tmp_path)


def test_a_pattern_that_fits_nothing_says_so(tmp_path, saved):
    add_own(tmp_path, [str(saved)])
    with pytest.raises(DataError, match="no page that fits 'x\\*', of 2"):
        find_pages(tmp_path, "x*", load_index())
