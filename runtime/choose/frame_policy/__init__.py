"""Decide each frame's clocks while it runs, from the frames before it."""

from runtime.choose.frame_policy.belief import WorkBelief
from runtime.choose.frame_policy.policy import LATE_PRICE, FramePolicy, Plan

__all__ = ["LATE_PRICE", "FramePolicy", "Plan", "WorkBelief"]
