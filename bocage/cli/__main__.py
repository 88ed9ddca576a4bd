"""``python -m bocage.cli``: the command line without the installed script."""

from bocage.cli import main

if __name__ == "__main__":
    main()
