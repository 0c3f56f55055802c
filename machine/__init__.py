"""One gateway each to the processor, the GPU and the control groups of this machine."""
