"""`python -m des` is the `des` command."""

from des.cli import main

if __name__ == "__main__":
    main()
