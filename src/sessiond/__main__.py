"""`python -m sessiond` is the command `sessiond`."""

from sessiond.cli import main

main()
