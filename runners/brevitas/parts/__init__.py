"""What Brevitas' techniques share."""
