"""The terminal UI, as its users meet it: keys, pictures, and what must not harm it."""
