"""Registered things made by name with options as a command line, a recipe or a checkpoint gives them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from runtime.registry import Registry

T = TypeVar("T")


def read_named(text: str, what: str) -> tuple[str, dict[str, Any]]:
    """Return name and options of ``NAME`` or ``NAME:OPTION=VALUE,OPTION=VALUE``.

    Args:
        what: it names, for errors.

    Raises:
        ValueError: it is not written so.

    Example:
        >>> read_named("face-parsing:roi=crop,margin=1.5", "task")
        ('face-parsing', {'roi': 'crop', 'margin': 1.5})
    """
    name, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if rest else []
    if not name or not all(key and equals for key, equals, _ in pairs):
        raise ValueError(f"{text!r} is no {what}; write NAME or NAME:OPTION=VALUE,OPTION=VALUE")
    return name, {key.strip().replace("-", "_"): _plain(value) for key, _, value in pairs}


def _plain(text: str) -> Any:
    """Return the number or truth that ``text`` is, or ``text``."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def make_named(registry: Registry[Callable[..., T]], name: str, options: Mapping[str, Any]) -> T:
    """Return what the entry ``name`` of ``registry`` makes of ``options``, its plain JSON arguments.

    Raises:
        ValueError: a name or an option is unknown, missing or of another type; near matches are named.
    """
    make = registry.get(name)
    known = inspect.signature(make, eval_str=True).parameters
    given = {}
    for option, value in options.items():
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"its options: {', '.join(known) or 'none'}"
            raise ValueError(f"{registry.kind} {name!r} has no option {option!r}; {hint}")
        try:
            given[option] = msgspec.convert(value, known[option].annotation, strict=False)
        except msgspec.ValidationError as err:
            raise ValueError(f"{registry.kind} {name!r}: {option} is {value!r} ({err}); correct it") from err
    for option, parameter in known.items():
        if parameter.default is parameter.empty and option not in options:
            raise ValueError(f"{registry.kind} {name!r} got no {option!r}; give it: {name}:{option}=...")
    return make(**given)
