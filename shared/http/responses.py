"""Responses: the success envelope, and the error envelope or RFC 9457 problem details."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import orjson
from pydantic import BaseModel
from starlette.responses import Response
from structlog.contextvars import get_contextvars

from shared.errors import Refusal
from shared.texts import Language, rendered, text

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY
_ACCEPTED = 202
_PROBLEM = "application/problem+json"


def ok(
    data: Any,  # noqa: ANN401 - JSON
    *,
    status: int = 200,
    position: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `data` in the success envelope, with the status `pending` for 202.

    `data` may hold pydantic models, msgspec structs, aware datetimes, dates, UUIDs and Decimals (as JSON numbers).
    `position` is the sealed event position for X-Event-Position.
    """
    data_json = orjson.dumps(data, default=_jsonable, option=_OPTIONS)
    return raw(data_json, status=status, position=position, headers=headers)


def raw(
    data_json: bytes, *, status: int = 200, position: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return serialized JSON, for example from PostgreSQL, in the success envelope without parsing it."""
    word = b"pending" if status == _ACCEPTED else b"success"
    head = b'{"status":"' + word + b'","data":'
    tail = f',"timestamp":"{timestamp()}","request_id":"{request_id()}"}}'.encode()
    answer = Response(head + data_json + tail, status, headers, "application/json")
    if position is not None:
        answer.headers["X-Event-Position"] = position
    return answer


def refused(refusal: Refusal, language: Language, *, accept: str = "", path: str = "") -> Response:
    """Return a refusal in `language`: the error envelope, or problem details if `accept` contains their media type."""
    details = rendered(refusal.details, language)
    message, suggestions = text(refusal.text_key, language, **{**details, **rendered(refusal.params, language)})
    common = {
        "error_code": refusal.error_code,
        "message": message,
        "details": details,
        "suggestions": suggestions,
        "timestamp": timestamp(),
        "request_id": request_id(),
    }
    headers = {**refusal.headers, "Content-Language": language, "Vary": "Accept, Accept-Language"}
    if _PROBLEM in accept.lower():
        body, media_type = _problem(refusal, common, path), _PROBLEM
    else:
        body, media_type = {"status": "error", **common}, "application/json"
    return Response(orjson.dumps(body, default=_jsonable, option=_OPTIONS), refusal.status, headers, media_type)


def _problem(refusal: Refusal, common: dict[str, Any], path: str) -> dict[str, Any]:
    detail = {name: value for name, value in common.items() if name != "message"}
    return {
        "type": "urn:smartmarket:error:" + refusal.error_code.lower().replace("_", "-"),
        "title": refusal.error_code.replace("_", " ").capitalize(),
        "status": refusal.status,
        "detail": common["message"],
        "instance": path,
        **detail,
    }


def timestamp() -> str:
    """Return the current time in UTC to the second, ending in Z."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def request_id() -> str:
    """Return the id of the current request, a new one outside of a request."""
    return str(get_contextvars().get("request_id") or uuid.uuid4())


def _jsonable(value: Any) -> Any:  # noqa: ANN401 - types that orjson does not serialize
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)
