import os
import threading

from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters.threads import (
    Thread,
    misplaced,
    parse_allowed,
    parse_last_cpu,
    read_threads,
)
from runtime.device.soc.tree import range_list
from runtime.device.sysfs import parse_cpu_list


def test_threads_that_were_there_before_the_pin_are_found():
    """Affinity is per thread: pinning the caller moves no other one, and that must be seen."""
    before = os.sched_getaffinity(0)
    one = max(before)
    is_up, may_end = threading.Event(), threading.Event()

    def old_thread():
        is_up.set()
        may_end.wait()

    thread = threading.Thread(target=old_thread)
    thread.start()
    is_up.wait()
    try:
        os.sched_setaffinity(0, {one})
        by_tid = {found.tid: found for found in read_threads(os.getpid())}
        assert by_tid[threading.get_native_id()].cpus == (one,)
        assert by_tid[threading.get_native_id()].last_cpu == one
        assert by_tid[thread.native_id].cpus == tuple(sorted(before))
        wrong = misplaced(by_tid.values(), (one,))
        assert any(f"thread {thread.native_id} may run on" in why for why in wrong) == (len(before) > 1)
    finally:
        os.sched_setaffinity(0, before)
        may_end.set()
        thread.join()


def test_a_name_with_brackets_does_not_shift_the_fields():
    fields = " ".join(str(number) for number in range(4, 53))
    assert parse_last_cpu(f"12 (a) b (c)) S {fields}") == 39
    assert parse_last_cpu("12 (cut off) S 1 2") is None
    assert read_threads(2**22 + 1) == ()


def test_what_is_not_told_is_no_fault():
    assert misplaced([Thread(1, None, None), Thread(2, (3,), None)], (3, 4)) == ()


@given(cpus=st.sets(st.integers(0, 300)))
def test_the_kernels_lists_are_read_back(cpus):
    assert parse_cpu_list(range_list(sorted(cpus))) == tuple(sorted(cpus))
    assert parse_allowed(f"Name:\tx\nCpus_allowed_list:\t{range_list(sorted(cpus))}\n") == tuple(sorted(cpus))


@given(text=st.text() | st.from_regex(r"[0-9,\-]*", fullmatch=True))
def test_any_text_is_a_list_or_none(text):
    for cpus in (parse_cpu_list(text), parse_allowed(f"Cpus_allowed_list:{text}")):
        assert cpus is None or all(0 <= cpu < 8192 for cpu in cpus)
    parse_last_cpu(text)
