"""Changes to the layers of a built network: which channels hang together, and removing them."""
