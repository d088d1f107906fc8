"""Where the light blocks go: what they cost at each layer, and which layers pay."""
