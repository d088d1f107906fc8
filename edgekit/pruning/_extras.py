"""Imported first: says what to install when a package for pruning is missing."""

from __future__ import annotations

from runtime.extras import require

for _package in ("torch", "torch_pruning"):
    require(_package, extra="train")
