"""A policy as C: a table, its decisions, and a static governor for devices without Python."""
