"""The one place that says which edgekit this is."""

__version__ = "0.2.0"
