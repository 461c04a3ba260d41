"""`python -m smartmarket`."""

import sys

from smartmarket import main

if __name__ == "__main__":
    sys.exit(main())
