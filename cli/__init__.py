"""What a person meets: the command line (and the terminal UI) over the headless core."""
