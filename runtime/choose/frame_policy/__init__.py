"""Decide each frame's clocks while it runs, from the frames before it."""

from runtime.choose.frame_policy.belief import WorkBelief
from runtime.choose.frame_policy.policy import FramePlan, FramePolicy

__all__ = ["FramePlan", "FramePolicy", "WorkBelief"]
