"""Log lines: JSON for machines, one-liners for a terminal; passwords and tokens never reach either."""

import datetime as dt
import functools
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TextIO

import orjson

CONTEXT: Final[ContextVar[Mapping[str, Any]]] = ContextVar("smartmarket_log_context")
_NOTHING: Mapping[str, Any] = {}
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET_NAME = re.compile(
    r"password|passwd|secret|token|authorization|cookie|api_?key|reset_code|card_number|\bpin\b", re.IGNORECASE
)
_SECRETS_IN_TEXT = (
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"(://[^\s/:@]*):[^\s/@]+@"), r"\1:[password]@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [token]"),
)
_SIGNS = ("eyJ", "://", "earer", "asic", "EARER", "ASIC")
_HIDDEN = "[hidden]"
_DEPTH = 6
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160), 0x2028, 0x2029)}


def configure_logging(level: str = "INFO", *, json: bool | None = None, stream: TextIO | None = None) -> None:
    """Send every logger's lines of `level` and above to `stream` (stderr), as JSON unless that is a terminal."""
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(JsonLines() if json or (json is None and not target.isatty()) else OneLiners())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Every request has a line of its own already, with more in it.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:  # noqa: ANN401  (whatever a log line can show)
    """Add `fields` to every line logged inside the block, in this task or thread."""
    token = CONTEXT.set({**CONTEXT.get(_NOTHING), **fields})
    try:
        yield
    finally:
        CONTEXT.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, then context and `extra`, then the stack."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _without_secrets(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["stack"] = _without_secrets(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class OneLiners(logging.Formatter):
    """What a person reads in a terminal; a stack follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items() if name != "request_id")
        message = f"{_without_secrets(record.getMessage())}  {fields}".rstrip().translate(_CONTROLS)
        line = f"{_time(record).astimezone():%H:%M:%S} {record.levelname:<8} {record.name}  {message}"
        return f"{line}\n{_without_secrets(self.formatException(record.exc_info))}" if record.exc_info else line


def _time(record: logging.LogRecord) -> dt.datetime:
    return dt.datetime.fromtimestamp(record.created, dt.UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    extra = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
    return {name: _shown(name, value) for name, value in {**CONTEXT.get(_NOTHING), **extra}.items()}


def _shown(name: str, value: Any, depth: int = 0) -> Any:  # noqa: ANN401  (whatever a log line can show)
    if _names_a_secret(name):
        return _HIDDEN
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, Mapping):
        return "…" if depth == _DEPTH else {str(key): _shown(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return "…" if depth == _DEPTH else [_shown("", item, depth + 1) for item in value]
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return str(value) if too_large else value


@functools.lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _without_secrets(text: str) -> str:
    if any(sign in text for sign in _SIGNS):
        for pattern, instead in _SECRETS_IN_TEXT:
            text = pattern.sub(instead, text)
    # Lone surrogates have no bytes that a stream could take.
    return text if text.isascii() else text.encode(errors="replace").decode()
