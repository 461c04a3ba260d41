"""Validates JSON bodies before they are parsed: UTF-8, limited depth and size, numbers and texts that can be stored."""

import math
import re

import msgspec
from starlette.concurrency import run_in_threadpool

from shared.errors import InvalidRequest
from shared.texts import Phrase

MAX_DEPTH = 64
MAX_VALUES = 10_000
"""The most values, names of fields among them, that a body may hold."""
_BIGINT = 2**63 - 1
_MALFORMED, _TOO_DEEP = Phrase("JSON_MALFORMED"), Phrase("JSON_TOO_DEEP")
_TOO_MANY = Phrase("JSON_TOO_MANY", {"most": MAX_VALUES})
# Larger bodies are decoded by another thread, so that other requests go on.
_LARGE_BYTES = 16 * 1024
_BAD_NUMBER, _NUL = Phrase("JSON_BAD_NUMBER"), Phrase("JSON_NUL")
# Bodies without these need no check of every value.
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}")


class InvalidJson(InvalidRequest):
    """The body is not acceptable JSON."""

    text_key = "INVALID_REQUEST_JSON"


async def check_off_loop(body: bytes) -> None:
    """Raise as `check` does; a large body is checked by another thread."""
    if len(body) > _LARGE_BYTES:
        await run_in_threadpool(check, body)
    else:
        check(body)


def check(body: bytes) -> None:
    """Raise InvalidJson for malformed JSON, exponents, huge numbers, NUL and lone surrogates.

    Also for nesting above MAX_DEPTH and more than MAX_VALUES values.
    """
    try:
        value = _DECODER.decode(body)
    except OverflowError:
        raise refusal(_BAD_NUMBER) from None
    except RecursionError:
        raise refusal(_TOO_DEEP) from None
    except ValueError as error:
        raise refusal(_BAD_NUMBER if "range" in str(error) else _MALFORMED) from None
    nested = body.count(b"[") + body.count(b"{")
    if _SUSPECT.search(body) or nested > MAX_DEPTH or nested + body.count(b",") + body.count(b":") >= MAX_VALUES:
        _check_every_value(value)


def refusal(problem: Phrase) -> InvalidJson:
    """Return the refusal of a body with this problem."""
    return InvalidJson(details={"problem": problem})


def _check_every_value(value: object) -> None:
    level, count = [value], 1
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        level = [inner for outer in level for inner in _inside(outer)]
        count += len(level)
        if count > MAX_VALUES:
            raise refusal(_TOO_MANY)
    raise refusal(_TOO_DEEP)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and "\x00" in value:
        raise refusal(_NUL)
    if isinstance(value, int) and abs(value) > _BIGINT:
        raise refusal(_BAD_NUMBER)
    return []


def _plain(number: str) -> float:
    if "e" in number or "E" in number or not math.isfinite(float(number)):
        raise OverflowError
    return float(number)


_DECODER = msgspec.json.Decoder(float_hook=_plain)
