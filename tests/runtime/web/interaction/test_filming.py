import pytest

from runtime.device.setting import Setting
from runtime.errors import PageError
from runtime.targets import LocalTarget
from runtime.web.gestures.gesture import Gesture
from runtime.web.interaction.filming import film
from runtime.web.interaction.local_machine import LocalMachine
from runtime.web.interaction.subject import load
from tests.runtime.web.toys import page as toy

SETTING = Setting("big", None)
STRIPES = "".join(f"<h1 style='height:300px;background:hsl({40 * n} 90% 50%)'>{n}</h1>" for n in range(60))


def filmed(cdp, url):
    subject = load(cdp, url, "toy")
    try:
        return film(LocalMachine(LocalTarget()), subject, Gesture("scroll", 1800.0), SETTING, 1.0), subject
    finally:
        subject.page.close()


def test_a_film_says_what_it_is_of_and_shows_the_page_move(cdp):
    found, subject = filmed(cdp, toy(STRIPES))
    assert found.key == ("toy", subject.sha256, "scroll-1800", SETTING)
    assert len(found.pictures) == 8
    assert len({picture.jpeg for picture in found.pictures}) >= 4
    assert all(picture.age_ms < 1000 for picture in found.pictures)


def test_what_cannot_be_scrolled_is_not_filmed(cdp):
    with pytest.raises(PageError, match="toy: the page can be scrolled by 0 px"):
        filmed(cdp, toy("short", screens=0.5))
