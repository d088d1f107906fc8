"""What a page is made of and what it will take to draw, read before anybody scrolls it."""

from runtime.web.pages.features.groups import GROUPS
from runtime.web.pages.features.page_features import FEATURES_VERSION, PageFeatures
from runtime.web.pages.features.reader import FEATURE_NAMES, read_features

__all__ = ["FEATURES_VERSION", "FEATURE_NAMES", "GROUPS", "PageFeatures", "read_features"]
