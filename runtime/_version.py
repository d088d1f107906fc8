"""The one place that says which edgekit this is."""

__version__ = "0.1.0"
