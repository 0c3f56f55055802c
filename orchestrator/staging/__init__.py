"""What a plan needs, put where machines without a network can read it, and checked there."""
