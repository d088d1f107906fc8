"""What ``import edgekit`` offers, a file per verb; the command line calls the same functions."""
