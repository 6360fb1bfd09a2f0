"""`python -m tertulia` is the command line."""

from tertulia.cli import main

if __name__ == "__main__":
    main()
