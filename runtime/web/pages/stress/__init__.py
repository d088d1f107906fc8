"""Pages made up to be expensive to scroll, each in one known way and to a known degree."""

from runtime.web.pages.stress.kind import KINDS, Kind, StressPage
from runtime.web.pages.stress.making import STRENGTHS, make_page, make_pages, write_pages

__all__ = ["KINDS", "STRENGTHS", "Kind", "StressPage", "make_page", "make_pages", "write_pages"]
