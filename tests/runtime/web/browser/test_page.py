import socket
import time

import pytest

from runtime.errors import PageError, WebError
from runtime.web.browser.page import Viewport, open_page
from runtime.web.browser.processes import find_processes, threads_by_role
from runtime.web.browser.thread_times import cpu_ms
from tests.runtime.web.toys import page as toy


def wait_for_fault(page, timeout_s=10):
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        page.check()
        time.sleep(0.05)


def test_a_page_is_laid_out_as_on_the_phone(cdp):
    with open_page(cdp) as page:
        page.navigate(toy())
        assert page.evaluate("[innerWidth, innerHeight, devicePixelRatio]") == [412, 915, 2.625]
        assert page.evaluate("new Promise(done => setTimeout(() => done(document.title), 20))") == "toy"
    with open_page(cdp, Viewport(800, 600, 1.0, is_mobile=False)) as page:
        page.navigate(toy())
        assert page.evaluate("innerWidth") == 800


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/", "cannot be loaded"),
        ("http://example.invalid/", "cannot be loaded"),
        ("nonsense", "cannot be loaded|Cannot navigate"),
    ],
)
def test_what_cannot_be_loaded_is_named(cdp, url, reason):
    with open_page(cdp) as page, pytest.raises(WebError, match=reason):
        page.navigate(url)


def test_a_page_that_never_loads_is_given_up(cdp):
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        open_page(cdp) as page,
        pytest.raises(WebError, match=r"did not (load|answer)"),
    ):
        page.navigate(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.5)


def test_a_script_that_throws_is_one_line(cdp):
    with (
        open_page(cdp) as page,
        pytest.raises(PageError, match=r"a script in the page failed: Error: two lines"),
    ):
        page.evaluate("(() => { throw new Error('two\\nlines') })()")


def test_dialogs_stop_nothing(cdp):
    with open_page(cdp) as page:
        page.navigate(toy(script="alert('hello'); confirm('sure?')"))
        assert page.evaluate("confirm('again')") is False
        page.check()


def test_a_page_that_goes_elsewhere_is_told(cdp):
    with open_page(cdp) as page:
        page.navigate(toy(script="setTimeout(() => location.href = 'about:blank', 200)"))
        with pytest.raises(PageError, match="went to about:blank by itself"):
            wait_for_fault(page)


def test_a_page_that_crashes_is_told(cdp):
    with open_page(cdp) as page:
        page.navigate(toy())
        page.connection.send("Page.crash", page.session)
        with pytest.raises(PageError, match="crashed"):
            wait_for_fault(page)


def test_a_page_that_is_closed_is_told(cdp):
    with open_page(cdp) as page:
        page.navigate(toy())
        cdp.call("Target.closeTarget", targetId=page.target)
        with pytest.raises(PageError, match="gone"):
            wait_for_fault(page)


def test_the_renderer_is_the_one_of_this_page(cdp):
    with open_page(cdp) as one, open_page(cdp) as other:
        for page in (one, other):
            page.navigate(toy())
        drawing, others = find_processes(one), find_processes(other)
        before = [cpu_ms(pid, pid) for pid in (drawing.renderer, others.renderer)]
        one.evaluate("{const end = performance.now() + 150; while (performance.now() < end);}")
        own, its = (
            cpu_ms(pid, pid) - ms for pid, ms in zip((drawing.renderer, others.renderer), before, strict=True)
        )
        assert own > 2 * its  # however busy the machine is
        assert drawing.gpu == others.gpu
        roles = {role for _, role in threads_by_role(drawing).values()}
        assert {"main", "compositor", "raster", "viz", "io"} <= roles
