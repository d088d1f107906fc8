"""The device-side process that serves the machine it runs on to a host: ``python -m runtime.agent``."""
