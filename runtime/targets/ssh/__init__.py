"""A Linux board behind ssh: an agent there, started over the connection."""
