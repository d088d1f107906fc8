"""Gestures measured: one run on one setting, and runs until their median is known."""
