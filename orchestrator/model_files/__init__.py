"""A person's own model file: what its header says, read without a framework, and its keeping."""
