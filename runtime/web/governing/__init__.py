"""A live page's gestures, each at the cheapest setting that keeps its frames; loads no browser by itself."""
