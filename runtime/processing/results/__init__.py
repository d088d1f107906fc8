"""Tensors of a flow as what they mean: a file per kind of result, to draw, print and save."""
