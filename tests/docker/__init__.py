"""A real Docker Engine: containers of a small image whose runner is the real one."""
