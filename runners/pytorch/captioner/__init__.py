"""The captioner in PyTorch: its network, and each technique on it."""
