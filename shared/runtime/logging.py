"""Log lines: JSON for machines, coloured columns on a terminal; secrets and tokens reach neither.

Modules log by the standard library (`logger.info("…", extra={…})`); structlog formats. Fields that belong to a whole
request or job are bound by `structlog.contextvars.bound_contextvars`.
"""

import datetime as dt
import functools
import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson
from structlog.contextvars import merge_contextvars
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, plain_traceback
from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

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
_CONTROLS_IN_STACK = {code: shown for code, shown in _CONTROLS.items() if chr(code) not in "\n\t"}
_RESET, _DIM, _BOLD, _CYAN = "\x1b[0m", "\x1b[2m", "\x1b[1m", "\x1b[36m"
_LEVEL_COLOURS = {
    "DEBUG": _DIM,
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[1;31m",
}


def configure_logging(level: str = "INFO", *, json: bool | None = None, stream: TextIO | None = None) -> None:
    """Write every logger's lines of `level` and above to `stream` (stderr), as JSON unless that is a terminal."""
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    as_json = not target.isatty() if json is None else json
    handler.setFormatter(json_formatter() if as_json else terminal_formatter(colours=_colours(target)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # The access log has a line for every request already.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


def json_formatter() -> logging.Formatter:
    """Return a formatter of one JSON object per line: time (UTC), level, logger, message, fields, then the stack."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, ExtraAdder(), format_exc_info],
        processors=[_ordered, _scrubbed, JSONRenderer(serializer=_json)],
    )


def terminal_formatter(*, colours: bool) -> logging.Formatter:
    """Return a formatter of lines for people: local time, level, logger, message, fields; a stack follows below.

    Fields that the message was formatted from (`logger.info("%(path)s", fields, extra=fields)`) are not repeated.
    """
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, ExtraAdder(), format_exc_info],
        processors=[_without_repetition, _ordered, _scrubbed, _printable, _renderer(colours=colours)],
        pass_foreign_args=True,
    )


def _renderer(*, colours: bool) -> ConsoleRenderer:
    reset, dim, bold, cyan = (_RESET, _DIM, _BOLD, _CYAN) if colours else ("", "", "", "")

    def level(key: str, value: object) -> str:  # noqa: ARG001 - structlog calls it with the name of the field
        return f"{_LEVEL_COLOURS.get(str(value), '') if colours else ''}{value!s:<8}{reset}"

    def text(style: str, width: int = 0) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(None, style, reset, str, width)

    fields = KeyValueColumnFormatter(cyan, "", reset, str)
    columns = [
        Column("time", text(dim)),
        Column("level", level),
        Column("logger", text(dim, 11)),
        Column("message", text(bold)),
        Column("", fields),
    ]
    return ConsoleRenderer(columns=columns, sort_keys=False, exception_formatter=plain_traceback)


def _colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the fields of every line first and the stack last, by the names that readers of the log know."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog")
    event.pop("color_message", None)
    message, stack = event.pop("event"), event.pop("exception", None)
    time = dt.datetime.fromtimestamp(record.created, dt.UTC)
    ordered = {"time": time, "level": record.levelname, "logger": record.name, "message": message, **event}
    return ordered if stack is None else {**ordered, "stack": stack}


def _without_repetition(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    arguments = event.pop("positional_args")
    repeated = set(arguments) if isinstance(arguments, Mapping) else set()
    return {name: value for name, value in event.items() if name not in repeated}


def _scrubbed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _shown(name, value) for name, value in event.items()}


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Shorten for the terminal, escape control characters (a client could forge lines), name the stack for structlog.

    Left out: the program's name before the logger's, and fields without a value. The request id is long: it is last.
    """
    fields = {name: value for name, value in event.items() if name not in {"time", "stack"} and value is not None}
    shown = {name: str(value).translate(_CONTROLS) for name, value in fields.items()}
    shown["time"] = f"{event['time'].astimezone():%H:%M:%S}"
    shown["logger"] = shown["logger"].removeprefix("smartmarket.")
    if "request_id" in shown:
        shown["request_id"] = shown.pop("request_id")
    return shown if "stack" not in event else {**shown, "exception": event["stack"].translate(_CONTROLS_IN_STACK)}


def _json(event: EventDict, **_: Any) -> str:  # noqa: ANN401 - of the standard library's json.dumps
    event["time"] = event["time"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _shown(name: str, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any value of a log line
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
        for pattern, replacement in _SECRETS_IN_TEXT:
            text = pattern.sub(replacement, text)
    # Lone surrogates cannot be encoded as UTF-8.
    return text if text.isascii() else text.encode(errors="replace").decode()
