"""Networks never run: what small graphs of kernels taught of each op, and a network as the sum of its ops."""
