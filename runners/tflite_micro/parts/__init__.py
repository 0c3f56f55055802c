"""What the techniques are made of: the file, the interpreter and its arena, counts, comparison."""
