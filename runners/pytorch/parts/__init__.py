"""What PyTorch techniques are made of: the network, training, sessions, proof."""
