"""What this machine has, lacks and may do, and what to type where something is missing."""

from edgekit.doctor.check import Check, Diagnosis, Section
from edgekit.doctor.examine import examine

__all__ = ["Check", "Diagnosis", "Section", "examine"]
