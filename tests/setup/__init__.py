"""Installing, moving, odd surroundings."""
