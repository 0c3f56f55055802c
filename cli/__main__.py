"""``python -m cli``: the command line in a checkout that isn't installed."""

from cli.main import main

if __name__ == "__main__":
    main()
