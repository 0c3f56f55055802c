"""What TensorFlow techniques are made of: the network, training, conversion, sessions, proof."""
