"""Frames that a browser displays: counted, timed, and which of them came late."""
