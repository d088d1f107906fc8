"""A policy applied while work runs: by the governor here, or by C compiled for the device."""
