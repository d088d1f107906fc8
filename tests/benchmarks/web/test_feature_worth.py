"""The worth of a group of features: high where it tells the work, nothing where it does not."""

import random

import pytest

from runtime.web.learning.pages import KnownPage
from runtime.web.pages.features import GROUPS
from tests.benchmarks.web.feature_worth import worth_pct

PAINT, CSS = (next(group for group in GROUPS if group.name == name) for name in ("paint", "css"))


@pytest.mark.parametrize(("group", "least", "most"), [(PAINT, 50, 100), (CSS, -60, 20)])
def test_a_group_that_tells_the_work_is_worth_much_and_another_nothing(group, least, most):
    source = random.Random(0)
    pages, work_ms = [], []
    for number in range(40):
        area = source.random() * 10
        features = {"paint_shadow_area": area} | {name: source.random() for name in CSS.names}
        pages.append(KnownPage(f"site{number % 8}/{number}", None, features))
        work_ms.append(3 + area)
    assert least < worth_pct(group, pages, work_ms) < most
