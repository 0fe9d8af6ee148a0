"""``python -m ceteris`` is the command ``ceteris``."""

import sys

from ceteris.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
