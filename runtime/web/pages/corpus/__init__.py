"""Real pages to measure: sites and documentation from packages, saved pages, addresses."""

from runtime.web.pages.corpus.checking import Checked, check_corpus, check_pages
from runtime.web.pages.corpus.fetching import Fetched, fetch_source, fetch_sources
from runtime.web.pages.corpus.index import Index, IndexedPage, Source, load_index
from runtime.web.pages.corpus.own import OwnPage, add_own, read_addresses, read_own
from runtime.web.pages.corpus.pages import CorpusPage, corpus_folder, find_pages, opened
from runtime.web.pages.corpus.place import OpenedPlace, opened_place

__all__ = [
    "Checked",
    "CorpusPage",
    "Fetched",
    "Index",
    "IndexedPage",
    "OpenedPlace",
    "OwnPage",
    "Source",
    "add_own",
    "check_corpus",
    "check_pages",
    "corpus_folder",
    "fetch_source",
    "fetch_sources",
    "find_pages",
    "load_index",
    "opened",
    "opened_place",
    "read_addresses",
    "read_own",
]
