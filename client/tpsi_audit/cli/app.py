"""The verbs of `tpsi-audit`, put together."""

import typer

from tpsi_audit.cli import keys, logs, tables
from tpsi_client.cli.frame import Version

app = typer.Typer(
    name="tpsi-audit",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Hold the server of a hash list to account.

    \b
    An audit:
      tpsi-audit keygen auditor.key              make your key; devices pin auditor.key.pub
      tpsi-audit verify PACKAGE --list FILE --sign-with auditor.key --to FILE.signature
                                                 check a table against the list, and sign it

    \b
    Other checks:
      tpsi-audit absent FILE --table PACKAGE     check names that the operator says are not on the list
      tpsi-audit reveals FILE --access ACCESS    check that each reveal is committed to in the log

    \b
    Watching:
      tpsi-audit watch ACCESS-FILE CHECKPOINT... read the server's log, and compare it with what others have seen
      tpsi-audit evidence FILE                   check the evidence that a server showed two histories
    """,
)


@app.callback()
def _common(*, _version: Version = False) -> None: ...


keys.register(app)
tables.register(app)
logs.register(app)
