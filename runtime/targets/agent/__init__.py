"""``python -m runtime.targets.agent``: the process on a device that serves its machine to a host."""
