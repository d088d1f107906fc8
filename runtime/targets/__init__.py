"""Targets: machines that can run a bundle, real or virtual."""

from runtime.targets.local import LocalTarget
from runtime.targets.name import TargetName, list_targets
from runtime.targets.opening import open_target
from runtime.targets.target import MeteredSession, Session, Target, choose_settings, use_meter
from runtime.targets.virtual import VirtualTarget

__all__ = [
    "LocalTarget",
    "MeteredSession",
    "Session",
    "Target",
    "TargetName",
    "VirtualTarget",
    "choose_settings",
    "list_targets",
    "open_target",
    "use_meter",
]
