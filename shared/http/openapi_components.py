"""Components shared by all routes of the OpenAPI document: envelopes, headers, and one example per error code."""

from collections.abc import Mapping
from typing import Any

from shared.errors import Refusal
from shared.texts import catalogue as texts
from shared.texts import text

_TIME = "2025-11-03T10:30:00Z"
_REQUEST_ID = "7f1f4f0e-6b1c-4f6e-9a51-0d9d1f3c2b11"

_DESCRIPTION = """Upload sales; read products, customers, forecasts, cash flow and recommended actions.

**Envelope.** `{status, data, timestamp, request_id}`; `status` is `success`, or `pending` with 202. Errors are
`{status: "error", error_code, message, details, suggestions, timestamp, request_id}`, or problem details (RFC 9457)
with `Accept: application/problem+json`.

**Language.** `message` and `suggestions` are in Bangla unless the account or `Accept-Language: en` requires English;
codes, numbers and enum values never change.

**Lists.** `limit` up to 100, `offset` up to 100,000, then follow the `cursor` in `next`.

**Headers.** `X-Request-ID` (a UUID) is echoed. Commands answer with `X-Event-Position`; send it back as
`X-Min-Event-Position` to read your own writes. `Idempotency-Key` makes a command safe to repeat.

**Caching.** Answers to GET have a weak `ETag` of their data; with `If-None-Match` the answer is 304 if the data are the
same. JSON is compressed (`br`, `gzip`).

**Limits.** 100 requests per minute and account, see the headers `RateLimit` and `RateLimit-Policy`; 1 MB of JSON,
10 MB per uploaded file, 5 MB per photo.

<details><summary><strong>Error codes</strong></summary>

| Code | Status | Meaning |
|---|---|---|
"""

_ERROR_PROPERTIES: dict[str, Any] = {
    "error_code": {"$ref": "#/components/schemas/ErrorCode"},
    "details": {"type": "object", "description": "Machine-readable; its fields depend on the code"},
    "suggestions": {"type": "array", "items": {"type": "string"}, "description": "What to do next"},
    "timestamp": {"type": "string", "format": "date-time"},
    "request_id": {"type": "string", "format": "uuid"},
}

_TEXT = {"type": "string"}
_HEADERS: dict[str, Any] = {
    "X-Request-ID": {"description": "Id of this request", "schema": {"type": "string", "format": "uuid"}},
    "X-Event-Position": {"description": "Opaque position of the last event", "schema": {"type": "string"}},
    "ETag": {"description": "Weak tag of `data`; send it as If-None-Match", "schema": {"type": "string"}},
    "RateLimit": {"description": "Remaining requests (r) and seconds to the end of the window (t)", "schema": _TEXT},
    "RateLimit-Policy": {"description": "Allowed requests (q) per window in seconds (w)", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}

_PARAMETERS: dict[str, str] = {
    "Idempotency-Key": "Identifies this command: repeating the request returns the first answer and changes nothing",
    "If-None-Match": "The ETag of an earlier answer: 304 without a body if the data are the same",
    "X-Min-Event-Position": "Wait until the read models have reached this X-Event-Position",
    "X-Replay": "Read the replay with this id, see POST /api/replays",
}


def description(catalogue: Mapping[str, type[Refusal]]) -> str:
    """Return the introduction, with a table of all error codes."""
    rows = (f"| `{code}` | {cls.status} | {texts()[code]['en'].message} |" for code, cls in catalogue.items())
    return "\n".join([_DESCRIPTION.rstrip(), *rows, "", "</details>"])


def error_codes(catalogue: Mapping[str, type[Refusal]]) -> list[dict[str, Any]]:
    """Return the error catalogue: code, status, and the texts in both languages with their placeholders."""
    return [
        {
            "code": code,
            "status": cls.status,
            "message": {language: words.message for language, words in texts()[code].items()},
            "suggestions": {language: words.suggestions for language, words in texts()[code].items()},
        }
        for code, cls in catalogue.items()
    ]


def components(catalogue: Mapping[str, type[Refusal]]) -> dict[str, Any]:
    """Return schemas, examples, headers, parameters and the security scheme."""
    return {
        "schemas": _schemas(catalogue),
        "examples": {code: {"summary": cls.__doc__, "value": _error_example(code)} for code, cls in catalogue.items()},
        "headers": _HEADERS,
        "parameters": {
            name: {"name": name, "in": "header", "required": False, "description": what, "schema": {"type": "string"}}
            for name, what in _PARAMETERS.items()
        },
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    }


def error_response(codes: list[str]) -> dict[str, Any]:
    """Return the response object of one status, with the example of each of its codes."""
    return {
        "description": ", ".join(codes),
        "headers": {
            "X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"},
            **({"Retry-After": {"$ref": "#/components/headers/Retry-After"}} if _wait(codes) else {}),
        },
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            },
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }


def success_example(data: Any, *, pending: bool) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return `data` in the success envelope."""
    return {
        "status": "pending" if pending else "success",
        "data": data,
        "timestamp": _TIME,
        "request_id": _REQUEST_ID,
    }


def _wait(codes: list[str]) -> bool:
    return not {"RATE_LIMITED", "SERVICE_DEGRADED", "PROJECTION_BEHIND"}.isdisjoint(codes)


def _error_example(code: str) -> dict[str, Any]:
    message, suggestions = text(code, "en")
    return {
        "status": "error",
        "error_code": code,
        "message": message,
        "details": {},
        "suggestions": suggestions,
        "timestamp": _TIME,
        "request_id": _REQUEST_ID,
    }


def _schemas(catalogue: Mapping[str, type[Refusal]]) -> dict[str, Any]:
    success = {name: _ERROR_PROPERTIES[name] for name in ("timestamp", "request_id")}
    return {
        "ErrorCode": {"type": "string", "enum": list(catalogue)},
        "Success": _object({"status": {"const": "success"}, "data": {}, **success}),
        "Pending": _object({"status": {"const": "pending"}, "data": {}, **success}),
        "Error": _object({"status": {"const": "error"}, "message": {"type": "string"}, **_ERROR_PROPERTIES}),
        "Problem": _object(
            {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "instance": {"type": "string"},
                **_ERROR_PROPERTIES,
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
