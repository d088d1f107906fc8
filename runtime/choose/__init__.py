"""The cheapest setting that is fast enough: predicted, simulated, chosen and explained."""
