"""Frame rates and energies of gestures in a browser: programs that print tables from kept records."""
