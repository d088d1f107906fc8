"""A Linux board behind ssh: an agent on it, started over the connection."""
