"""What torch.compile may fail of, told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.bundle.decoding import why
from runtime.errors import TrainingError


@contextmanager
def compiler_errors() -> Iterator[None]:
    """Turn errors of the compiler, such as that of a machine without a C++ compiler, into one of ours.

    Raises:
        TrainingError: there was one.
    """
    from torch._dynamo.exc import TorchDynamoException  # a second of imports

    try:
        yield
    except TorchDynamoException as err:
        raise TrainingError(
            f"the network cannot be compiled ({why(err)[:200]}); leave out --compile"
        ) from err
