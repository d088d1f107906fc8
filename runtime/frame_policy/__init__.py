"""Decide each frame's clocks while it runs, from the frames before it."""

from runtime.frame_policy.policy import FramePolicy, Plan
from runtime.frame_policy.work import WorkEstimate

__all__ = ["FramePolicy", "Plan", "WorkEstimate"]
