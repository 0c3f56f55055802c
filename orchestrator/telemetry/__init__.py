"""What the live screen shows of cells, beside the machine that it samples itself."""
