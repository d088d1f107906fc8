"""The groups that features are read in: their names, what each costs, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.web.browser.processes import ROLES

TAGS = (
    *("a", "aside", "button", "canvas", "code", "div", "form", "heading", "iframe", "img", "input", "label"),
    *("li", "nav", "p", "path", "picture", "pre", "script", "section", "span", "style", "svg", "table", "td"),
    *("tr", "video"),
)  # fmt: skip
_PAINT = (
    *(
        "shadow",
        "filter",
        "backdrop",
        "gradient",
        "background_image",
        "rounded_clip",
        "opacity",
        "will_change",
    ),
    *("transform", "blend", "clip_path", "mask", "text_shadow", "fixed", "sticky", "attached", "scroller"),
)


@dataclass(frozen=True)
class Group:
    """Features that are read together.

    Attributes:
        name: their prefix.
        features: their names without it.
        fixed_ms: what reading takes on an empty page.
        per_kilo_ms: what each thousand elements adds.
        worth: by how much the group alone lowers the error of predicted work on families left out, in percent
            of the error of the mean of other pages.
    """

    name: str
    features: tuple[str, ...]
    fixed_ms: float
    per_kilo_ms: float
    worth: float

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{feature}" for feature in self.features)

    def expected_ms(self, elements: float) -> float:
        """Return what reading the group takes on a page of so many elements, on the machine of the table."""
        return self.fixed_ms + self.per_kilo_ms * elements / 1000


# Costs: the lower quartile over 90 pages of the corpus, on two x86 cores that others used, Chromium 156.
# Worth: of 89 pages of the corpus and 64 stress pages, one scroll of each on that machine;
# `tests.benchmarks.web.feature_worth` finds it from records.
GROUPS = (
    Group(
        "metrics",
        (
            *("documents", "nodes", "listeners", "heap_mb"),
        ),
        fixed_ms=1.5,
        per_kilo_ms=0.0,
        worth=11.0,
    ),
    Group(
        "dom",
        (
            *("elements", "depth", "depth_mean", "attributes", "classes", "inline_styles", "ids", "handlers"),
            *("shadow_roots", "in_band", "width_screens", "layout_width_px", *(f"tag_{tag}" for tag in TAGS)),
        ),
        fixed_ms=2.0,
        per_kilo_ms=10.0,
        worth=26.0,
    ),
    Group(
        "css",
        (
            *("sheets", "unreadable_sheets", "rules", "declarations", "media_rules", "keyframes"),
            *("font_faces", "selectors", "by_class", "by_id", "by_attribute", "by_element", "universal"),
            *("descendant", "child", "sibling", "pseudo", "hover", "has", "nth", "variables"),
        ),
        fixed_ms=8.0,
        per_kilo_ms=0.0,
        worth=25.0,
    ),
    Group(
        "matches",
        (
            *("rules_used", "matched", "by_class", "by_id", "by_attribute", "descendant", "child", "sibling"),
            *("pseudo", "hover", "universal"),
        ),
        fixed_ms=4.0,
        per_kilo_ms=4.0,
        worth=28.0,
    ),
    Group(
        "paint",
        (
            *("boxes", "area", "shadow_blur_px", "filter_blur_px", "text_kchars", "text_boxes", "animations"),
            *("animations_main", "animations_area", *_PAINT, *(f"{name}_area" for name in _PAINT)),
        ),
        fixed_ms=3.0,
        per_kilo_ms=14.0,
        worth=24.0,
    ),
    Group(
        "listeners",
        (
            *("all", "wheel", "wheel_blocking", "touch", "touch_blocking", "scroll", "pointer", "mouse"),
            *("click", "resize"),
        ),
        fixed_ms=3.5,
        per_kilo_ms=0.5,
        worth=6.0,
    ),
    Group(
        "images",
        (
            *("images", "mpx", "in_band", "in_band_mpx", "area", "shrunk_mpx", "lazy", "unloaded", "svgs"),
            *("svg_area", "canvases", "canvas_mpx", "canvas_area", "videos", "video_area", "frames"),
            "frame_area",
        ),
        fixed_ms=2.0,
        per_kilo_ms=0.4,
        worth=17.0,
    ),
    Group(
        "probe",
        (
            *("layouts", "styles", "layout_ms", "style_ms", "script_ms", "task_ms"),
            *(f"{role}_ms" for role in ROLES),
            "fps",
        ),
        fixed_ms=400.0,
        per_kilo_ms=10.0,
        worth=42.0,
    ),
)  # fmt: skip
