"""Which processes draw a page, and what their threads used."""

from types import SimpleNamespace

import pytest

from runtime.errors import WebError
from runtime.web.browser import processes
from runtime.web.browser.processes import find_processes, spent_ms
from runtime.web.browser.thread_times import ThreadTime

OURS, OTHER, GPU = 7, 8, 9


@pytest.fixture
def find(monkeypatch):
    """Return a function that finds the page's renderer while another one starts.

    Args:
        ours: share of a burn that the page's renderer gets.
        other_ms: what the other one uses in each burn, in their order; nothing after them.
    """

    def find(ours, *other_ms):
        used, burns = {OURS: 100.0, OTHER: 5.0}, []

        class World:
            def __init__(self, page):
                pass

            def run(self, script, limit_ms):
                burn_ms = float(script.partition("now() + ")[2].partition(";")[0])
                used[OURS] += ours * burn_ms
                used[OTHER] += other_ms[len(burns)] if len(burns) < len(other_ms) else 0.0
                burns.append(burn_ms)

        def read(pids):
            return [ThreadTime(pid, pid, "chromium", used[pid]) for pid in pids if pid in used]

        monkeypatch.setattr(processes, "IsolatedWorld", World)
        monkeypatch.setattr(processes, "process_ids", lambda page: {"renderer": [OTHER, OURS], "GPU": [GPU]})
        page = SimpleNamespace(connection=SimpleNamespace(host=SimpleNamespace(read_threads=read)))
        return find_processes(page), burns

    return find


def test_the_renderer_that_computes_is_the_page_s(find):
    drawing, burns = find(1.0)
    assert (drawing.renderer, drawing.gpu, burns) == (OURS, GPU, [40.0])


def test_one_that_starts_meanwhile_is_not_taken_for_it(find):
    drawing, burns = find(0.6, 39.0, 150.0)  # on a full machine
    assert (drawing.renderer, len(burns)) == (OURS, 3)


def test_a_machine_that_is_full_for_seconds_is_waited_for(find):
    drawing, burns = find(0.1, 4.0, 16.0, *[64.0] * 7)  # another gets as much
    assert (drawing.renderer, len(burns)) == (OURS, 10)


def test_a_page_that_others_never_leave_alone_is_given_up_and_said(find, monkeypatch):
    monkeypatch.setattr(processes, "_PATIENCE_S", 0.05)
    with pytest.raises(WebError, match="others ran as much"):
        find(0.1, 4.0, 16.0, *[64.0] * 100_000)


def test_where_none_computes_the_browser_is_elsewhere(find):
    with pytest.raises(WebError, match="not to be seen from here"):
        find(0.0)


def test_a_thread_that_ended_makes_no_role_s_work_negative():
    assert spent_ms({"main": 10.0, "raster": 5.0}, {"main": 12.5, "raster": 4.9}) == {
        "main": 2.5,
        "raster": 0.0,
    }
