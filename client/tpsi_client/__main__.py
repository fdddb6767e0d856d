"""`python -m tpsi_client`: the command `tpsi-device`."""

from tpsi_client.cli import main

if __name__ == "__main__":
    main()
