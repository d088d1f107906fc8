"""The address of a machine behind ssh, as people type it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<host>[^@:\s]+))(?::(?P<port>\d+))?"
)


@dataclass(frozen=True)
class Address:
    """Whom to log in to; what is ``None`` is left to ``~/.ssh/config``, or else as ``ssh`` has it."""

    host: str
    user: str | None = None
    port: int | None = None

    @staticmethod
    def parse(text: str) -> Address:
        """Read ``user@host:port``; user and port may be missing, an IPv6 host stands in brackets.

        Raises:
            ValueError: it is no address.
        """
        found = _ADDRESS.fullmatch(text)
        if found is None or text.startswith("-"):
            raise ValueError(
                f"{text!r} is not an address; give ssh:user@host, ssh:user@host:port or ssh:NAME"
            )
        port = found["port"]
        return Address(found["v6"] or found["host"], found["user"], None if port is None else int(port))
