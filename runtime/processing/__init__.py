"""What goes into a model and what its outputs mean: images, arrays, classes."""
