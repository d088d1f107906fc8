"""Displayed frames per second of web pages under gestures, on cores and clocks: arrays in, arrays out."""
