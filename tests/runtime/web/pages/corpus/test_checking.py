"""How far pages can be scrolled, measured in a real browser."""

import pytest

from runtime.web.pages.corpus import CorpusPage, add_own, check_corpus, check_pages, read_own
from tests.benchmarks.web.corpus_index import PACKAGES, IndexedPage, choose, family_of

META = '<meta name="viewport" content="width=device-width">'


@pytest.fixture
def page(tmp_path):
    def make(html, screens=None, name="a.html"):
        (tmp_path / name).write_text(f"<!doctype html>{META}<body style='margin:0'>{html}")
        return CorpusPage(name, "toy", "toy", name, tmp_path, screens)

    return make


def checked(connection, page):
    (result,) = check_pages(connection, [page])
    return result


def test_screens_to_scroll_are_those_beyond_the_first(connection, page):
    result = checked(connection, page("<div style='height:4575px'>"))  # five screens of 915
    assert result.screens == pytest.approx(4, abs=0.01)
    assert result.fault == ""


def test_a_page_laid_out_for_a_desk_counts_by_the_screens_that_show_it(connection, tmp_path):
    (tmp_path / "wide.html").write_text("<!doctype html><body style='margin:0'><div style='height:4575px'>")
    result = checked(connection, CorpusPage("w", "toy", "toy", "wide.html", tmp_path, None))
    assert result.screens == pytest.approx(4575 / (915 * 980 / 412) - 1, abs=0.1)


def test_short_and_changed_pages_are_told_apart(connection, page):
    assert checked(connection, page("short")).fault == "less than 2 screens to scroll"
    assert checked(connection, page("<div style='height:4575px'>", 9.0)).fault == "had 9.0 screens"


def test_a_page_that_goes_elsewhere_does_not_end_the_check(connection, page):
    leaves = page("<script>location.href = 'about:blank'</script>")
    good = page("<div style='height:4575px'>", name="good.html")
    results = check_pages(connection, [leaves, good])
    assert results[0].fault
    assert results[1].fault == ""


def test_what_is_found_of_own_pages_is_kept(chromium, page, tmp_path):
    page("<div style='height:4575px'>")
    corpus = tmp_path / "corpus"
    add_own(corpus, [str(tmp_path / "a.html")])
    check_corpus(corpus)
    assert read_own(corpus)[0].screens == pytest.approx(4, abs=0.01)


def test_the_index_takes_at_most_twenty_of_a_family_short_and_long_ones():
    pages = [IndexedPage("s", f"{screens:03}.html", "f", float(screens)) for screens in range(100)]
    chosen = choose([*pages, IndexedPage("s", "other.html", "g", 2.1)])
    assert len(chosen) == 21
    assert [chosen[0].screens, chosen[19].screens] == [3.0, 99.0]


def test_saved_news_pages_are_of_their_sites_families():
    news = PACKAGES["news"]
    assert family_of(news, "cnn_001.html") == family_of(news, "cnn_main_site.html") == "news-cnn"
    assert family_of(news, "chinese_article_001.html") == "news-chinese"
    assert family_of(PACKAGES["tabler"], "marketing/real-estate.html") == "tabler-marketing"
