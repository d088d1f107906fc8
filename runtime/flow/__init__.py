"""Flows run: the graphs of a bundle's task in turn, fed from each other, on any target."""
