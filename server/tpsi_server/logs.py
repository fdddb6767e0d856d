"""What the server logs, as text for people or as lines of JSON for programs, on stderr."""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogForm(StrEnum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """A JSON object for each line: `time` (UTC), `level`, `logger`, `message`, and `error` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        value = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            value["error"] = self.formatException(record.exc_info)
        return json.dumps(value)


def log_to_stderr(level: int, form: LogForm = LogForm.TEXT) -> None:
    """Show what the server logs."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form is LogForm.JSON else logging.Formatter(_TEXT))
    log = logging.getLogger("tpsi_server")
    log.handlers = [handler]
    log.setLevel(level)
    log.propagate = False
