"""`python -m tpsi_server.cli`: the command, where it is not on the path."""

from tpsi_server.cli import main

if __name__ == "__main__":
    main()
