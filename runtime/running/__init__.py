"""Serve frames of a bundle under a policy, and keep what came of them."""
