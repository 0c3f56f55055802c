"""``python -m tui`` is ``repliquant``."""

from tui.cli import main

if __name__ == "__main__":
    main()
