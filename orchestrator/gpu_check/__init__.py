"""``gpu-check``: the CUDA paths of this machine, in a few minutes."""
