"""Text from files and devices, made safe to show: the one place that decides what reaches a terminal.

A name, a label or a board's last words may hold escape sequences that move the cursor, hide a line or change
the order of letters (https://trojansource.codes). They are shown as what they are.
"""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Return ``text`` with every character that is not shown itself as ``\xNN``; line ends stay.

    Example:
        >>> print(visible("a\x1b[2Jb\u202e"))
        a\x1b[2Jb\u202e
    """
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def one_line(text: object) -> str:
    r"""Return ``text`` on one line, so that no part of it stands where a line of ours could.

    Example:
        >>> print(one_line("cat\nError: all is lost\r"))
        cat Error: all is lost
    """
    return visible(" ".join(str(text).split()))


def escaped(json: str) -> str:
    r"""Return the JSON with what is not shown itself as JSON writes it, so that it still says the same.

    Example:
        >>> print(escaped('"a\x9b\u202e"'))
        "a\u009b\u202e"
    """
    return "".join(char if char.isprintable() or char == "\n" else _of_json(char) for char in json)


def _of_json(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
