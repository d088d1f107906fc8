"""An error on its way from the machine, or the process, in which it was raised."""

from __future__ import annotations

import msgspec

from runtime import errors

_ARGUMENT = ("ValueError", "TypeError")


class Failed(msgspec.Struct, tag=True, frozen=True):
    """It could not be done: the class of the error, by name, and its message."""

    kind: str
    message: str


def failure(err: BaseException) -> Failed:
    """Return ``err`` as it travels: by a name that the other side knows, as modules have own kinds."""
    names = [kind.__name__ for kind in type(err).__mro__]
    known = next((name for name in names if hasattr(errors, name) or name in _ARGUMENT), names[0])
    return Failed(known, str(err) or names[0])


def as_error(failed: Failed, where: str = "") -> Exception:
    """Return what the other side raised: the same class of ``runtime.errors``, or a plain argument error.

    Args:
        where: the other side, to be named; empty: it does not matter.
    """
    kind = getattr(errors, failed.kind, None)
    before = f"{where}: " if where else ""
    if isinstance(kind, type) and issubclass(kind, errors.EdgekitError):
        return kind(before + failed.message)
    if failed.kind in _ARGUMENT:
        return ValueError(failed.message)
    return errors.DeviceStableError(f"{before}{failed.kind}: {failed.message}")
