"""What OpenVINO's techniques are made of."""
