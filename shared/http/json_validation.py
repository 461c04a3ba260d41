"""Validates JSON bodies before they are parsed: UTF-8, limited depth, numbers and texts that the database can store."""

import math
import re

import msgspec

from shared.errors import InvalidRequest
from shared.texts import Phrase

MAX_DEPTH = 64
_BIGINT = 2**63 - 1
_MALFORMED, _TOO_DEEP = Phrase("JSON_MALFORMED"), Phrase("JSON_TOO_DEEP")
_BAD_NUMBER, _NUL = Phrase("JSON_BAD_NUMBER"), Phrase("JSON_NUL")
# Bodies without these need no check of every value.
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}")


class InvalidJson(InvalidRequest):
    """The body is not acceptable JSON."""

    text_key = "INVALID_REQUEST_JSON"


def check(body: bytes) -> None:
    """Raise InvalidJson for malformed JSON, nesting above 64, exponents, huge numbers, NUL and lone surrogates."""
    try:
        value = _DECODER.decode(body)
    except OverflowError:
        raise refusal(_BAD_NUMBER) from None
    except RecursionError:
        raise refusal(_TOO_DEEP) from None
    except ValueError as error:
        raise refusal(_BAD_NUMBER if "range" in str(error) else _MALFORMED) from None
    if _SUSPECT.search(body) or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_every_value(value)


def refusal(problem: Phrase) -> InvalidJson:
    """Return the refusal of a body with this problem."""
    return InvalidJson(details={"problem": problem})


def _check_every_value(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        level = [inner for outer in level for inner in _inside(outer)]
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
