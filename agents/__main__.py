"""`python -m agents NAME` does what `millwright agent NAME` does."""

import sys

from agents.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
