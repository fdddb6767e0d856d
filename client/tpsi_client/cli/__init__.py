"""The command `tpsi-device`."""


def main() -> None:
    """Run a command and exit: 0 done, 1 an error (one line on stderr), 2 wrong usage, 130 interrupted."""
    from tpsi_client.cli.app import app
    from tpsi_client.cli.frame import run

    run(app, interrupted="what was done so far is kept, and the same command goes on from there")
