"""Frames of a bundle at one setting, as its policy says, and the record of them."""
