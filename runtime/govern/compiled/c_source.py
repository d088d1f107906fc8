"""A decision table as C: a header and a source file without dependencies."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from runtime._version import __version__
from runtime.choose.decision.table import DecisionTable

TEMPLATES = files("runtime.govern.compiled") / "native"
_MOST_INT = 2**31 - 1


def c_name(model: str) -> str:
    """Return what the C names of a model's table begin with: ``mobilenet-v2`` -> ``edgekit_mobilenet_v2``."""
    return "edgekit_" + (re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_") or "model")


def c_sources(
    model: str,
    table: DecisionTable,
    cpus: Mapping[str, Sequence[int]],
    deadline_ms: float,
    about: Sequence[str] = (),
) -> dict[str, str]:
    """Return the text of ``NAME.h`` and ``NAME.c``, by file name.

    Args:
        model: gives the names their prefix; see ``c_name``.
        cpus: of each cluster, the kernel's numbers.
        deadline_ms: that the policy was made for.
        about: lines on where the figures come from, for the comment at the top.

    Raises:
        ValueError: a cluster without CPUs, or a number that C's integers do not hold.

    Example:
        >>> from runtime.choose.decision import DecisionTable
        >>> from runtime.choose.policy.estimate import Estimate
        >>> from runtime.device.setting import Setting
        >>> table = DecisionTable((Estimate("fp32", Setting("big", 1_800_000), 5.0, 5.0, 6.0, 900.0, 4.5),))
        >>> sorted(c_sources("net", table, {"big": (4, 5)}, 33.3))
        ['edgekit_net.c', 'edgekit_net.h']
    """
    _check(table, cpus)
    name = c_name(model)
    clusters = table.clusters
    about = [
        *about,
        f"Rows: {len(table.rows)}, best first. Clocks in kHz, latency in ms, power in mW, energy in mJ.",
    ]
    words = {
        "TITLE": _comment(f"Which core and clock run a frame of {model} in time, at the least cost"),
        "VERSION": __version__,
        "ABOUT": "\n".join(f" * {_comment(line)}" for line in about),
        "ABOUT_TEXT": _string("\n".join(about)),
        "NAME": name,
        "UPPER": name.upper(),
        "ROWS": len(table.rows),
        "CLUSTERS": len(clusters),
        "DEADLINE_MS": c_double(deadline_ms),
        "DEADLINE_TEXT": f"{deadline_ms:.6g}",
        "CPUS": "\n".join(
            f"static const int cpus_{i}[] = {{{', '.join(map(str, cpus[cluster]))}}};"
            for i, cluster in enumerate(clusters)
        ),
        "CLUSTER_ROWS": "\n".join(
            f"    {{{_string(cluster)}, cpus_{i}, {len(cpus[cluster])}}},"
            for i, cluster in enumerate(clusters)
        ),
        "TABLE_ROWS": "\n".join(
            f"    {{{_string(row.variant)}, {clusters.index(row.setting.cluster)}, {row.setting.threads}, "
            f"INT64_C({row.setting.freq_khz or 0}), {c_double(row.latency_ms)}, "
            f"{c_double(row.latency_high_ms)}, "
            f"{c_double(row.power_mw)}, {c_double(row.energy_mj)}, {-1 if kind is None else kind}}},"
            for row, kind in zip(table.rows, table.mixable, strict=True)
        ),
        "COOLEST": table.coolest,
        "IS_ENERGY": int(table.over_mw is not None),
        "OVER_MW": c_double(table.over_mw or 0.0),
    }  # fmt: skip
    return {f"{name}.{kind}": fill(f"decision.{kind}.in", words) for kind in ("h", "c")}


def fill(template: str, words: Mapping[str, object]) -> str:
    """Return a template of the native governor with every ``@WORD@`` replaced."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda found: str(words[found[1]]), text)


def _check(table: DecisionTable, cpus: Mapping[str, Sequence[int]]) -> None:
    for cluster in table.clusters:
        if not cpus.get(cluster) or not all(0 <= cpu <= _MOST_INT for cpu in cpus[cluster]):
            raise ValueError(
                f"cluster {cluster!r} has CPUs {cpus.get(cluster)}; give the kernel's numbers of each"
            )


def c_double(value: float | None) -> str:
    """Write a double so that C reads the same one: in hexadecimal, exactly."""
    return "INFINITY" if value is None or math.isinf(value) else value.hex()


def _string(text: str) -> str:
    """Write a string literal; three octal digits end an escape, and escaped ``?`` make no trigraph."""
    plain = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{"".join(plain)}"'


def _comment(text: str) -> str:
    """Keep a line of a comment one line, and inside the comment."""
    printable = "".join(char if 32 <= ord(char) < 127 else "?" for char in " ".join(text.split()))
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /").rstrip("\\")
