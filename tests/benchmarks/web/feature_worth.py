"""What each group of page features is worth, and what reading it costs: the figures of ``groups.py``.

    python -m tests.benchmarks.web.feature_worth RECORDS... --pages PAGES

The worth of a group is by how much it alone lowers the error of the predicted work of a scroll's frame, on
pages of families left out, in percent of the error of the mean of the other pages.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from runtime.measure.records import Record, RecordLog
from runtime.web.learning.pages import KnownPage, family_of, read_pages
from runtime.web.pages.features import GROUPS
from runtime.web.pages.features.groups import Group
from tests.benchmarks._table import show

_FOLDS = 5
_FULL = 900  # of 1024: settings fast enough that the page is not held up


def scroll_work_ms(records: Iterable[Record]) -> dict[str, float]:
    """Return the median work of a frame of each page's scrolls on fast cores, in ms."""
    found = defaultdict(list)
    for record in records:
        figures = record.gesture
        if figures is not None and figures.kind == "scroll" and (figures.capacity or 0) >= _FULL:
            found[record.model].append(sum(figures.work_ms.values()))
    return {page: statistics.median(work) for page, work in found.items()}


def worth_pct(group: Group, pages: Sequence[KnownPage], work_ms: Sequence[float]) -> float:
    """Return the worth of a group in percent: 100 where it tells all, 0 where it tells nothing."""
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import GroupKFold

    features = np.array([[page.features.get(name, math.nan) for name in group.names] for page in pages])
    features = np.nan_to_num(np.sign(features) * np.log1p(np.abs(features)), nan=-1.0)
    truth = np.log(np.array(work_ms))
    families = [family_of(page.page, {page.page: page}) for page in pages]
    error, error_of_mean = 0.0, 0.0
    for train, test in GroupKFold(min(_FOLDS, len(set(families)))).split(features, groups=families):
        model = ExtraTreesRegressor(100, min_samples_leaf=2, random_state=0).fit(
            features[train], truth[train]
        )
        error += float(np.abs(model.predict(features[test]) - truth[test]).sum())
        error_of_mean += float(np.abs(np.median(truth[train]) - truth[test]).sum())
    return 100 * (1 - error / error_of_mean)


def worths(known: Mapping[str, KnownPage], work_ms: Mapping[str, float]) -> list[dict[str, object]]:
    """Return a row for each group: its worth and the median of what reading it is expected to take."""
    names = sorted(set(known) & set(work_ms))
    pages = [known[name] for name in names]
    work = [work_ms[name] for name in names]
    elements = statistics.median(page.features.get("dom_elements", 1000.0) for page in pages)
    return [
        {
            "group": group.name,
            "features": len(group.features),
            "worth": f"{worth_pct(group, pages, work):.1f}",
            "kept": group.worth,
            "cost": f"{group.expected_ms(elements):.1f}",
        }
        for group in GROUPS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--pages", type=Path, required=True)
    args = parser.parse_args()
    work_ms = scroll_work_ms(record for path in args.records for record in RecordLog(path))
    rows = worths(read_pages([args.pages]), work_ms)
    headers = {"group": "group", "features": "features", "worth": "worth, %", "kept": "kept as"}
    show({**headers, "cost": "cost of the median page, ms"}, rows)


if __name__ == "__main__":
    main()
