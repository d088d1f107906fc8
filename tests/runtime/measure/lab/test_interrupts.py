import _thread
import select
import signal
import threading
import time

import pytest

from runtime.measure.lab.interrupts import interruptible


def test_a_wait_ends_when_an_interrupt_is_tripped_from_a_thread():
    start_s = time.monotonic()
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        select.select([], [], [], 30)
    assert time.monotonic() - start_s < 5


def test_afterwards_signals_are_as_before():
    before = signal.getsignal(signal.SIGUSR1)
    with interruptible():
        assert signal.getsignal(signal.SIGUSR1) is not before
    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.set_wakeup_fd(-1) == -1
