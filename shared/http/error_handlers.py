"""Turns every error of a request into a refusal. Unexpected errors are logged with their stack, never shown."""

import logging
from collections.abc import Mapping
from typing import Any

import psycopg
from fastapi import FastAPI, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import (
    FileTooLarge,
    Forbidden,
    InternalError,
    InvalidQuery,
    InvalidRequest,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    PayloadTooLarge,
    Refusal,
    ServiceDegraded,
    TooManyRequests,
    UnsupportedMediaType,
)
from shared.http.pagination import too_far, unknown
from shared.http.responses import refused
from shared.http.tokens import Principal
from shared.postgres.database import NOT_MIGRATED
from shared.texts import DEFAULT_LANGUAGE, Language, Phrase, catalogue

JSON_LIMIT = 1024 * 1024
FILE_LIMIT = 10 * 1024 * 1024
_RETRY_SECONDS = 2
_CAUSES = 8
_PROBLEMS = {
    "missing": "FIELD_MISSING",
    "extra_forbidden": "FIELD_UNKNOWN",
    "string_too_short": "FIELD_TOO_SHORT",
    "string_too_long": "FIELD_TOO_LONG",
    "too_short": "FIELD_TOO_FEW",
    "too_long": "FIELD_TOO_MANY",
    "greater_than_equal": "FIELD_TOO_SMALL",
    "greater_than": "FIELD_NOT_ABOVE",
    "less_than_equal": "FIELD_TOO_LARGE",
    "less_than": "FIELD_NOT_BELOW",
    "decimal_max_places": "FIELD_DECIMAL_PLACES",
    "literal_error": "FIELD_NOT_CHOICE",
    "enum": "FIELD_NOT_CHOICE",
}
_PROBLEMS_BY_KIND = {
    "string": "FIELD_NOT_TEXT",
    "int": "FIELD_NOT_INTEGER",
    "float": "FIELD_NOT_NUMBER",
    "finite": "FIELD_NOT_NUMBER",
    "decimal": "FIELD_NOT_NUMBER",
    "bool": "FIELD_NOT_BOOLEAN",
    "date": "FIELD_NOT_DATE",
    "datetime": "FIELD_NOT_DATE",
    "timezone": "FIELD_NOT_DATE",
    "uuid": "FIELD_NOT_UUID",
    "model": "FIELD_NOT_OBJECT",
    "dict": "FIELD_NOT_OBJECT",
    "list": "FIELD_NOT_LIST",
}
logger = logging.getLogger("smartmarket.failures")

_NAME_LENGTH = 128


class InvalidFields(InvalidRequest):
    """Fields of the body are missing or wrong."""

    text_key = "INVALID_REQUEST_FIELDS"


def invalid_field(name: str, code: str, problem: Phrase) -> InvalidFields:
    """Return the refusal of a body for one of its fields."""
    name = name[:_NAME_LENGTH]
    field = {"field": name, "in": "body", "code": code, "message": problem}
    return InvalidFields(details={"fields": [field]}, fields=name, field=name, problem=problem)


class MissingBody(InvalidRequest):
    """The request needs a body and has none."""

    text_key = "INVALID_REQUEST_BODY"


class UnknownRoute(NotFound):
    """The API has no such route."""

    text_key = "NOT_FOUND_ROUTE"


_BY_STATUS: dict[int, type[Refusal]] = {401: NotAuthenticated, 403: Forbidden, 404: UnknownRoute, 429: TooManyRequests}


def install(app: FastAPI) -> None:
    """Register the handlers of refusals, framework errors and failed validation."""
    app.add_exception_handler(Refusal, _handle)
    app.add_exception_handler(HTTPException, _handle)
    app.add_exception_handler(RequestValidationError, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    return error_response(request, refusal_of(request, error))


def error_response(request: Request, refusal: Refusal) -> Response:
    """Return the response in the language of the request and in the form it accepts."""
    language: Language = getattr(request.state, "language", DEFAULT_LANGUAGE)
    return refused(refusal, language, accept=request.headers.get("accept", ""), path=request.url.path)


def refusal_of(request: Request, error: Exception) -> Refusal:
    """Return the refusal that an error is answered with."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return _validation_refusal(request, error)
    return _http_refusal(request, error) if isinstance(error, HTTPException) else _unexpected(request, error)


def _unexpected(request: Request, error: Exception) -> Refusal:
    """Log an unexpected error with its stack; returns ServiceDegraded if a server failed, else InternalError."""
    who = request.scope.get("state", {}).get("identity")
    fields = {"user_id": who.user_id, "business_id": who.business_id} if isinstance(who, Principal) else {}
    cause: BaseException | None = error
    for _ in range(_CAUSES):
        if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | RedisError):
            service = "redis" if isinstance(cause, RedisError) else "database"
            logger.critical("%s does not answer", service, exc_info=error, extra=fields)
            return ServiceDegraded(details={"service": service}, retry_after=_RETRY_SECONDS)
        if isinstance(cause, NOT_MIGRATED):
            logger.critical(
                "the database is not that of this release: run `smartmarket migrate`", exc_info=error, extra=fields
            )
            return ServiceDegraded(details={"service": "database"}, retry_after=_RETRY_SECONDS)
        cause = cause and (cause.__cause__ or cause.__context__)
    logger.error("unhandled exception: %s", type(error).__name__, exc_info=error, extra=fields)
    return InternalError()


def too_large(media_type: str) -> Refusal:
    """Return the refusal of a body that exceeds the limit of its media type."""
    if media_type == "multipart/form-data":
        return FileTooLarge(details={"limit_bytes": FILE_LIMIT}, limit="10 MB")
    return PayloadTooLarge(details={"limit_bytes": JSON_LIMIT}, limit="1 MB")


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type header without its parameters; `+json` types are JSON."""
    bare = content_type.partition(";")[0].strip().lower()
    return "application/json" if bare.startswith("application/") and bare.endswith("+json") else bare


def _http_refusal(request: Request, error: HTTPException) -> Refusal:
    headers = dict(error.headers or {})
    sent = media_type(request.headers.get("content-type", ""))
    match error.status_code:
        case 405:
            allowed = ", ".join(_methods_at(request)) or headers.get("Allow", "")
            return MethodNotAllowed(
                details={"method": request.scope["method"], "allowed": allowed}, headers={"Allow": allowed}
            )
        case 413:
            return too_large(sent)
        case 415:
            return UnsupportedMediaType(details={"expected": _expected_body(request)}, headers=headers)
        case status if status in _BY_STATUS:
            return _BY_STATUS[status](headers=headers)
        case status if status < 500:  # noqa: PLR2004 - client errors end at 499
            return InvalidRequest(headers=headers)
    return _unexpected(request, error)


def _methods_at(request: Request) -> list[str]:
    path = request.scope["path"]
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        regex = getattr(route, "path_regex", None)
        if regex is not None and regex.match(path):
            found |= route.methods or set()
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def _expected_body(request: Request) -> str:
    field = getattr(request.scope.get("route"), "body_field", None)
    is_form = field is not None and isinstance(field.field_info, params.Form)
    return "multipart/form-data" if is_form else "application/json"


def _validation_refusal(request: Request, error: RequestValidationError) -> Refusal:
    errors: list[Mapping[str, Any]] = list(error.errors())
    in_query = next((one for one in errors if one["loc"][0] == "query"), None)
    if in_query:
        return _query_refusal(request, in_query)
    sent, expected = media_type(request.headers.get("content-type", "")), _expected_body(request)
    if any(one["loc"][0] == "body" for one in errors):
        if sent and sent != expected:
            return UnsupportedMediaType(details={"expected": expected})
        if any(one["loc"] == ("body",) and one["type"] == "missing" for one in errors):
            return MissingBody(details={"expected": expected})
    fields = [
        {"field": _name(one), "in": one["loc"][0], "code": one["type"], "message": _problem(one)} for one in errors
    ]
    return InvalidFields(
        details={"fields": fields},
        fields=", ".join(dict.fromkeys(field["field"] for field in fields)),
        field=fields[0]["field"],
        problem=fields[0]["message"],
    )


def _query_refusal(request: Request, error: Mapping[str, Any]) -> Refusal:
    name = _name(error)
    if error["type"] == "extra_forbidden":
        return unknown(name, query_names(getattr(request.scope.get("route"), "dependant", None)))
    if name == "offset" and error["type"] == "less_than_equal":
        return too_far()
    return InvalidQuery(details={"parameter": name, "expected": _problem(error)})


def query_names(dependant: Any) -> set[str]:  # noqa: ANN401 - the framework's own structure
    """Return the names of the query parameters that a route and its dependencies read."""
    names: set[str] = set()
    for field in getattr(dependant, "query_params", ()):
        kind = field.field_info.annotation
        model = isinstance(kind, type) and issubclass(kind, BaseModel)
        names |= set(kind.model_fields) if model else {field.alias}
    for inner in getattr(dependant, "dependencies", ()):
        names |= query_names(inner)
    return names


def _name(error: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in error["loc"][1:])[:128] or str(error["loc"][0])


def _problem(error: Mapping[str, Any]) -> Phrase:
    kind = str(error["type"])
    code = _PROBLEMS.get(kind) or _PROBLEMS_BY_KIND.get(kind.partition("_")[0]) or f"FIELD_{kind.upper()}"
    if kind == "value_error" and "email" in str(error.get("msg", "")):
        code = "FIELD_NOT_EMAIL"
    context = error.get("ctx") or {}
    shown = {name: str(value) for name, value in context.items()}
    return Phrase(code if code in catalogue() else "FIELD_INVALID", shown)
