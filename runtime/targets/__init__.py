"""Targets: machines that can run a bundle, real or virtual."""

from runtime.targets.local import LocalTarget
from runtime.targets.opening import list_targets, open_target
from runtime.targets.target import Session, Target, choose_settings, use_meter
from runtime.targets.virtual import VirtualTarget

__all__ = [
    "LocalTarget",
    "Session",
    "Target",
    "VirtualTarget",
    "choose_settings",
    "list_targets",
    "open_target",
    "use_meter",
]
