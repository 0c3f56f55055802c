"""What Larq's techniques share."""
