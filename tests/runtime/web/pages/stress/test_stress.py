"""Stress pages: the same ones each time, stronger with their strength, and expensive as their label says."""

import msgspec
import pytest

from runtime.web.gestures.room import look
from runtime.web.pages.features import read_features
from runtime.web.pages.loading import loaded
from runtime.web.pages.server import serve
from runtime.web.pages.stress import KINDS, make_page, make_pages, write_pages
from runtime.web.pages.stress.drawing import png


def test_there_are_at_least_twenty_kinds_with_labels():
    assert len(KINDS) >= 20
    assert len({kind.label for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_the_same_each_time_and_another_when_stronger(kind):
    assert make_page(kind, 0.5) == make_page(kind, 0.5)
    weak, strong = (next(iter(make_page(kind, each).files.values())) for each in (0.5, 1.5))
    assert weak.split(b"</title>")[1] != strong.split(b"</title>")[1]


def test_pages_are_written_with_their_labels(tmp_path):
    pages = make_pages([0.2, 0.4], ["blur", "images"])
    labels = msgspec.json.decode(write_pages(tmp_path, pages).read_bytes())
    assert [(each["name"], each["strength"]) for each in labels] == [
        ("blur-0.2", 0.2),
        ("blur-0.4", 0.4),
        ("images-0.2", 0.2),
        ("images-0.4", 0.4),
    ]
    for page in pages:
        assert all((tmp_path / name).read_bytes() == data for name, data in page.files.items())


@pytest.mark.parametrize(("kind", "strength"), [("nothing", 1.0), ("blur", 0.0), ("blur", float("nan"))])
def test_unknown_kinds_and_strengths_are_refused(kind, strength):
    with pytest.raises(ValueError, match=r"stress|strength"):
        make_page(kind, strength)


def test_pictures_can_be_decoded_and_have_their_size(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="pip install -e '.[images]'")
    (tmp_path / "a.png").write_bytes(png(3, 120, 50))
    with image.open(tmp_path / "a.png") as opened:
        opened.load()
        assert (opened.size, opened.mode) == ((120, 50), "RGB")


@pytest.fixture(scope="module")
def read(connection, tmp_path_factory):
    """Return a function that shows a stress page and returns its screens and features."""
    folder = tmp_path_factory.mktemp("stress")
    with serve(folder) as site:

        def read_page(kind, strength=1.0):
            page = make_page(kind, strength)
            write_pages(folder, [page])
            with loaded(connection, site.url(f"{page.name}.html")) as shown:
                room = look(shown)
                return room.room_px / room.height_px, read_features(shown).values

        yield read_page


@pytest.mark.parametrize(
    ("kind", "feature"),
    [
        ("blur", "paint_filter_area"),
        ("backdrop", "paint_backdrop_area"),
        ("shadows", "paint_shadow_area"),
        ("fixed-background", "paint_attached"),
        ("images", "images_in_band_mpx"),
        ("animation-layout", "paint_animations_main"),
        ("blocking-script", "listeners_wheel_blocking"),
        ("canvas", "images_canvas_mpx"),
        ("inner-scroller", "paint_scroller"),
    ],
)
def test_the_browser_finds_what_the_label_says_and_two_screens_to_scroll(read, kind, feature):
    screens, values = read(kind)
    assert screens > 8
    assert values[feature] > 0
