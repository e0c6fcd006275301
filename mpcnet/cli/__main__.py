"""`python -m mpcnet.cli` is `mpcnet`."""

from mpcnet.cli import main

if __name__ == "__main__":
    main()
