"""Imported first: says what to install when a package for training is missing."""

from __future__ import annotations

from runtime.extras import require

for _package in ("torch", "lightning_fabric", "safetensors", "tqdm"):
    require(_package, extra="train")
