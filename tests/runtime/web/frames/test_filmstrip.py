"""Pictures of a gesture: what the display had at equal times, taken from a real browser, kept as files."""

import pytest

from runtime.device.setting import Setting
from runtime.errors import DataError
from runtime.web.browser.page import open_page
from runtime.web.frames.films import Film, keep_film, read_films
from runtime.web.frames.filmstrip import Picture, filmed, filmstrip
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import Performed, Span, perform
from runtime.web.gestures.room import look
from runtime.web.gestures.strokes import strokes_of
from tests.runtime.web.toys import page

JPEG = b"\xff\xd8\xff\xe0"
LAG_S = 2 / 60


def performed(*spans):
    return Performed(tuple(Span(start_s - LAG_S, end_s - LAG_S) for start_s, end_s in spans), 0.0)


def test_each_picture_is_the_last_one_drawn_before_its_time():
    frames = [(10.3, b"b"), (9.0, b"before"), (10.05, b"a"), (11.9, b"c"), (13.0, b"after")]
    strip = filmstrip(frames, performed((10.0, 11.0), (11.5, 12.0)), n_pictures=4)
    assert [picture.at_ms for picture in strip] == pytest.approx([250, 750, 1250, 1750])
    assert [picture.jpeg for picture in strip] == [b"a", b"b", b"b", b"b"]
    assert [picture.age_ms for picture in strip] == pytest.approx([200, 450, 950, 1450])


def test_what_was_there_before_the_gesture_is_as_old_as_the_gesture():
    (first,) = filmstrip([(1.0, b"before")], performed((10.0, 11.0)), n_pictures=1)
    assert (first.jpeg, first.age_ms) == (b"before", pytest.approx(500))


def test_nothing_drawn_gives_no_pictures():
    assert filmstrip([], performed((10.0, 11.0))) == ()


def test_a_browser_is_filmed_while_it_scrolls(cdp):
    stripes = "".join(
        f"<h1 style='height:300px;background:hsl({40 * n} 90% 50%)'>{n}</h1>" for n in range(60)
    )
    with open_page(cdp) as shown:
        shown.navigate(page(stripes))
        with filmed(shown) as frames:
            done = perform(shown, strokes_of(Gesture("scroll", 1800.0), look(shown), 1.0))
    strip = filmstrip(frames, done)
    assert len(strip) == 8
    assert all(picture.jpeg.startswith(b"\xff\xd8\xff") for picture in strip)
    assert len({picture.jpeg for picture in strip}) >= 4  # it moved
    assert max(len(picture.jpeg) for picture in strip) < 60_000


def film(**given):
    return Film(**{
        "page": "p", "sha256": "0", "gesture": "scroll-1800", "setting": Setting("big", 1_000_000),
        "pictures": (Picture(1.0, 0.0, JPEG),), "target": "emulated:exynos5422",
    } | given)  # fmt: skip


def test_a_film_replaces_the_one_before_it(tmp_path):
    keep_film(tmp_path, film())
    keep_film(tmp_path, film(sha256="1"))
    keep_film(tmp_path, film(setting=Setting("big", None)))
    assert sorted(each.sha256 for each in read_films(tmp_path)) == ["0", "1"]


def test_a_damaged_film_is_named(tmp_path):
    path = keep_film(tmp_path, film())
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=f"{path.name} is no film"):
        list(read_films(tmp_path))
