"""What a machine is: reading it, changing it as context managers that restore it, and playing it."""
