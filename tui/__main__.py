"""``python -m tui``: the command line in a checkout that isn't installed."""

from tui.cli import main

if __name__ == "__main__":
    main()
