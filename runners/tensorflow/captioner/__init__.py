"""The captioner in TensorFlow: its network, and each technique on it."""
