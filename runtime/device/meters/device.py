"""Which device this is: facts that a record is worth nothing without."""

from __future__ import annotations

import platform
from pathlib import Path


def read_device(root: Path = Path("/")) -> dict[str, str]:
    """Return name, SoC, architecture, kernel and operating system; what is unknown is left out."""
    found = {
        "name": _first(root, "proc/device-tree/model", "sys/class/dmi/id/product_name") or platform.node(),
        "soc": _soc(root),
        "arch": platform.machine(),
        "kernel": f"{platform.system()} {platform.release()}",
        "os": _os_release(root),
    }
    return {key: value for key, value in found.items() if value}


def _soc(root: Path) -> str | None:
    words = [_first(root, f"sys/devices/soc0/{name}") for name in ("family", "machine", "soc_id")]
    return " ".join(dict.fromkeys(word for word in words if word)) or _cpuinfo(root)


def _cpuinfo(root: Path) -> str | None:
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return facts.get("Hardware") or facts.get("model name") or facts.get("Model")


def _os_release(root: Path) -> str | None:
    build = _first(root, "etc/os-release")
    lines = (build or "").splitlines()
    return next((line[13:-1] for line in lines if line.startswith('PRETTY_NAME="')), None)


def _first(root: Path, *paths: str) -> str | None:
    for path in paths:
        try:
            text = (root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if text := text.replace("\0", "").strip():  # device-tree strings end in a zero byte
            return text
    return None
