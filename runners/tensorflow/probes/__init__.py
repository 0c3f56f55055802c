"""The smallest Keras network of each probed feature, and what of its file really computes."""
