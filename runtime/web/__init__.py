"""Web interaction: what gestures in a real browser cost, and the cheapest setting that keeps them smooth."""
