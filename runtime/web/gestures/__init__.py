"""Gestures: what they are, the input events they consist of, and doing them on a page."""
