"""Names in the plot stand clear: of each other, of points and of curves, on wide and on narrow screens."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from edgekit.report.frontier import Point
from edgekit.report.labels import LINE_HEIGHT, Box, along, place_label, width_of
from edgekit.report.pareto import Mark, Plot, draw
from edgekit.report.plots import plot_of_policy
from edgekit.report.section import NARROW, WIDE
from runtime.choose.policy.policy import load_policy
from tests.edgekit.report.tuned_bundle import TARGET

LEFT, RIGHT = 58.0, 14.0  # of the plot's frame


def boxes_and_obstacles(markup):
    """Return the box of each name, and what it must not cover, read back from the picture."""
    root = ET.fromstring(markup)
    boxes, places = {}, []
    for element in root.iter():
        style = element.get("class", "")
        if style.startswith("name"):
            left, bottom = float(element.get("x")), float(element.get("y")) + 4
            wide = width_of(element.text, is_bold="chosen" in style)
            boxes[element.text] = Box(left, bottom - LINE_HEIGHT, left + wide, bottom)
        elif style.startswith(("ladder", "frontier")):
            corners = [tuple(map(float, pair.split(","))) for pair in element.get("points").split()]
            places += along(corners)
        elif style.startswith(("point", "mark")) and element.get("cx"):
            places.append((float(element.get("cx")), float(element.get("cy"))))
    return boxes, np.array(places)


def covered(box, places):
    x, y = places[:, 0], places[:, 1]
    return int(((x > box.left) & (x < box.right) & (y > box.top) & (y < box.bottom)).sum())


@pytest.fixture(params=[WIDE, NARROW])
def width(request):
    return request.param


def check(plot, width):
    boxes, places = boxes_and_obstacles(draw(plot, width, 470.0))
    assert len(boxes) == len(plot.marks)
    for name, box in boxes.items():
        assert covered(box, places) == 0, name
        assert box.left >= LEFT
        assert box.right <= width - RIGHT + 0.1
        assert [other for other in boxes.values() if other is not box and box.overlap(other)] == [], name
    return boxes


def test_governors_of_a_tuned_bundle_are_named_without_covering_anything(tuned, width):
    boxes = check(plot_of_policy(load_policy(tuned, TARGET)), width)
    assert {"performance", "powersave (late)"} <= boxes.keys()


def test_marks_crowded_on_one_curve_keep_clear_of_it(width):
    curve = [Point("big", "v", "l", 10.0 + i, 2.0 + 0.02 * i * i, "") for i in range(60)]
    marks = tuple(
        Mark(f"governor {i}", 10.0 + 3 * i, 2.0 + 0.18 * i * i, "", is_chosen=i == 4) for i in range(9)
    )
    check(Plot(tuple(curve), marks, "energy", 25.0, "25 FPS asked"), width)


def test_name_of_the_target_stands_above_the_plot(tuned, width):
    plot = replace(
        plot_of_policy(load_policy(tuned, TARGET)), target_fps=9999.0, target_name="9999 FPS asked"
    )
    (x, y) = re.search(
        r'class="target-name mid" x="([\d.]+)" y="([\d.]+)"', draw(plot, width, 470.0)
    ).groups()
    assert float(y) < 26.0  # where the plot begins
    assert float(x) + width_of(plot.target_name, is_bold=True) / 2 <= width


def test_an_interval_is_not_covered_either():
    frame = Box(0, 0, 300, 100)
    line = np.array(along([(0.0, 50.0), (300.0, 50.0)]))
    label = place_label("chosen", 150, 50, frame, [], line)
    assert covered(label.box, line) == 0
