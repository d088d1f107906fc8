"""Decide each frame's clocks while it runs, from the frames before it."""

from runtime.choose.frame_policy.belief import WorkBelief
from runtime.choose.frame_policy.penalty import MISS_PENALTY
from runtime.choose.frame_policy.policy import FramePlan, FramePolicy

__all__ = ["MISS_PENALTY", "FramePlan", "FramePolicy", "WorkBelief"]
