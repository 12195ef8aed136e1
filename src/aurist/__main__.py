"""`python -m aurist` is `aurist`."""

from aurist.cli import main

main()
