"""Changes to the layers of a built network: which channels hang together, and removing them."""

from runtime.extras import require

require("torch_pruning", extra="train")  # before the files that need it
