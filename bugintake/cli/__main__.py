"""`python -m bugintake.cli …`, the same as the console script."""

from bugintake.cli import main

main()
