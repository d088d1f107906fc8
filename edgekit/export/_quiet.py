"""How exporters are run: without their chatter, and without the garbage collector's passes."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import warnings
from collections.abc import Iterator

# Never closed by us: a library that is first imported meanwhile may keep the stream for its own log.
_NOWHERE = open(os.devnull, "w")  # noqa: SIM115


@contextlib.contextmanager
def exporting() -> Iterator[None]:
    """Silence what the exporters print and pause garbage collection; errors are still raised.

    Exporters make millions of small objects that live to the end: collecting in between takes a
    fifth of their time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        with quiet():
            yield
    finally:
        if collects:
            gc.enable()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings, log lines below error and whatever is printed.

    C++ code writes to the process's descriptors 1 and 2, so these are redirected too.
    """
    global _NOWHERE
    if _NOWHERE.closed:  # absl closes the stream of its log when its handler is removed
        _NOWHERE = open(os.devnull, "w")  # noqa: SIM115
    sys.stdout.flush()
    sys.stderr.flush()
    disabled = logging.root.manager.disable
    with warnings.catch_warnings():
        kept = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
        try:
            for descriptor, _ in kept:
                os.dup2(_NOWHERE.fileno(), descriptor)
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
            with contextlib.redirect_stdout(_NOWHERE), contextlib.redirect_stderr(_NOWHERE):
                yield
        finally:
            logging.disable(disabled)
            for descriptor, copy in kept:
                os.dup2(copy, descriptor)
                os.close(copy)
