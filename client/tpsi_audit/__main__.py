"""`python -m tpsi_audit`: the command, where it is not on the path."""

from tpsi_audit.cli import main

if __name__ == "__main__":
    main()
