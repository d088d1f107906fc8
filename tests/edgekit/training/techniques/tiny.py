"""How a net is trained in a moment."""

from edgekit.training import Recipe

RECIPE = Recipe(epochs=4, batch_size=16, device="cpu", temperature_epochs=0)
