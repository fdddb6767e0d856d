"""`python -m tpsi_plan`: the command, where it is not on the path."""

from tpsi_plan import main

if __name__ == "__main__":
    main()
