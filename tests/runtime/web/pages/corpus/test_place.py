"""A page is called alike however it was opened, by whoever records it."""

from urllib.request import urlopen

import pytest

from runtime.errors import DataError
from runtime.web.pages.corpus import add_own, opened_place
from runtime.web.pages.corpus.fetching import site_folder
from runtime.web.pages.corpus.index import load_index
from runtime.web.pages.corpus.place import OpenedPlace


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """An empty corpus of its own; its folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "edgekit" / "web"
    folder.mkdir(parents=True)
    return folder


def test_a_saved_page_goes_by_its_path_and_its_neighbours_by_theirs(corpus, tmp_path):
    (tmp_path / "site").mkdir()
    for name in ("index.html", "about us.html"):
        (tmp_path / "site" / name).write_text(name)
    place = str(tmp_path / "site" / "index.html")
    with opened_place(place) as opened:
        assert urlopen(opened.url).read() == b"index.html"
        assert (opened.name, opened.is_remote) == (place, False)
        beside = opened.url.replace("index.html", "about%20us.html#top")
        assert opened.name_of(beside) == str(tmp_path / "site" / "about us.html")
        assert opened.name_of("https://example.org/x") == "example.org/x"


def test_a_page_of_the_corpus_goes_by_its_name_there_and_so_do_those_of_its_site(corpus):
    index = load_index()
    source = next(each for each in index.sources if sum(p.source == each.name for p in index.pages) > 1)
    first, second = [page for page in index.pages if page.source == source.name][:2]
    site = site_folder(corpus, source)
    for page in (first, second):
        (site / page.path).parent.mkdir(parents=True, exist_ok=True)
        (site / page.path).write_text(page.name)
    with opened_place(first.name) as opened:
        assert urlopen(opened.url).read().decode() == first.name
        assert (opened.name, opened.is_remote) == (first.name, False)
        assert opened.site is not None
        assert opened.name_of(opened.site.url(second.path)) == second.name


def test_an_address_goes_by_itself_or_by_its_name_in_the_corpus(corpus):
    assert OpenedPlace("https://example.org/").name == "example.org/"
    add_own(corpus, ["https://example.org/shop"])
    with opened_place("https://example.org/") as opened:
        assert opened.is_remote
        assert opened.name_of("https://example.org/shop") == "own/example.org/shop"
    with opened_place("own/example.org/shop") as opened:
        assert (opened.url, opened.name) == ("https://example.org/shop", "own/example.org/shop")


@pytest.mark.parametrize("place", ["nowhere", "uikit/nowhere", "/etc/nowhere.html", ""])
def test_what_is_none_of_these_is_said(corpus, place):
    with (
        pytest.raises(DataError, match=r"no address, no file and no page .* corpus list"),
        opened_place(place),
    ):
        pass
