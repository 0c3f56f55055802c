"""What is read from disk, as rows and texts of a screen."""
