"""The command `tpsi-audit`."""


def main() -> None:
    """Run a command and exit: 0 all holds, 1 it does not, or an error (one line on stderr), 2 wrong usage."""
    from tpsi_audit.cli.app import app
    from tpsi_client.cli.frame import run

    run(app, interrupted="nothing was signed")
