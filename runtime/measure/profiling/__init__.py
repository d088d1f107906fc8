"""Each op's time, kind, module and cost; traces."""
