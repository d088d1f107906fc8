"""Small graphs of kernels, timed once per target, from which networks never run are predicted."""
