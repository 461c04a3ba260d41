"""The OpenAPI 3.1 document: that of the framework, completed with envelope, errors and authorization."""

import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from shared.errors import Refusal, refusals
from shared.http import openapi_components as components
from shared.http.auth import owner, principal, staff

_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
_READING_CODES = {
    "INVALID_POSITION",
    "PROJECTION_BEHIND",
    "PROJECTION_PARKED",
    "NOT_FOUND",
    "REPLAY_NOT_READY",
    "REPLAY_EXPIRED",
}
_READS = {"X-Min-Event-Position", "X-Replay"}
# The replays themselves, which no read model shows.
_REPLAYS = "/api/replays"


@dataclass(frozen=True)
class Operation:
    """One method of one path: its OpenAPI object and properties of its route."""

    made: dict[str, Any]
    path: str
    endpoint: Callable[..., Any] | None
    is_read: bool
    guards: frozenset[Any]
    responses: Mapping[int | str, Mapping[str, Any]]

    @property
    def is_tagged(self) -> bool:
        """Return whether the answer has an ETag."""
        return self.is_read and "application/json" in self.made["responses"].get("200", {}).get("content", {})

    @property
    def is_api(self) -> bool:
        """Return whether it answers in the envelope."""
        return self.path.startswith("/api/")


def refuses(*classes: type[Refusal]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that raises these refusals, besides those common to all routes."""
    return {"x-error-codes": [cls.error_code for cls in classes]}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all routes of `app`."""
    catalogue = refusals()
    made = get_openapi(
        title=app.title,
        version=version(),
        summary=app.summary,
        description=components.description(catalogue),
        routes=app.routes,
        tags=app.openapi_tags,
        servers=app.servers,
    )
    for operation in _operations(app, made):
        _complete(operation, catalogue)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    _drop_titles(schemas)
    for kind, entries in components.components(catalogue).items():
        made["components"].setdefault(kind, {}).update(entries)
    made["x-error-codes"] = components.error_codes(catalogue)
    return made


def version() -> str:
    """Return the version of the installed distribution."""
    try:
        return importlib.metadata.version("smartmarket")
    except importlib.metadata.PackageNotFoundError:
        return "0.0.0"


def _operations(app: FastAPI, made: dict[str, Any]) -> Iterator[Operation]:
    for route in iter_route_contexts(app.routes):
        path, dependant = str(route.path_format), getattr(route, "dependant", None)
        for method in route.methods or ():
            operation = made["paths"].get(path, {}).get(method.lower())
            if operation:
                guards = frozenset(_calls(dependant)) & {principal, owner, staff}
                endpoint, responses = getattr(route, "endpoint", None), getattr(route, "responses", {})
                yield Operation(operation, path, endpoint, method == "GET", guards, responses)


def _calls(dependant: Any) -> Iterator[Any]:  # noqa: ANN401 - the framework's own structure
    yield getattr(dependant, "call", None)
    for inner in getattr(dependant, "dependencies", ()):
        yield from _calls(inner)


def _complete(operation: Operation, catalogue: Mapping[str, type[Refusal]]) -> None:
    made = operation.made
    made["responses"].pop("422", None)
    _describe(operation)
    _restore_examples(operation)
    for parameter in made.get("parameters", ()):
        _simplify(parameter)
    if operation.guards:
        made["security"] = [{"bearer": []}]
    if operation.is_api:
        _add_headers(operation)
        _wrap_success(operation)
    codes = {*made.get("x-error-codes", ()), *_usual_codes(operation)}
    made["x-error-codes"] = sorted(codes)
    for status, group in _by_status(codes, catalogue).items():
        made["responses"].setdefault(status, components.error_response(group))


def _describe(operation: Operation) -> None:
    """Take the summary from the first paragraph of the route's docstring, the description from the rest."""
    summary, _, description = (inspect.getdoc(operation.endpoint) or "").partition("\n\n")
    operation.made["summary"] = " ".join(summary.split()).removesuffix(".")
    operation.made.pop("description", None)
    if description:
        operation.made["description"] = description


def _restore_examples(operation: Operation) -> None:
    """Put the examples back as routes give them: the framework drops every null."""
    for status, given in operation.responses.items():
        for media_type, content in given.get("content", {}).items():
            if "example" in content:
                operation.made["responses"][str(status)]["content"][media_type]["example"] = content["example"]


def _simplify(parameter: dict[str, Any]) -> None:
    """Describe the values of a parameter only: it is omitted instead of being null."""
    schema = parameter.get("schema", {})
    schema.pop("title", None)
    values = [value for value in schema.get("anyOf", ()) if value != {"type": "null"}]
    if len(values) == 1:
        del schema["anyOf"]
        parameter["schema"] = {**values[0], **schema}


def _drop_titles(schemas: Mapping[str, dict[str, Any]]) -> None:
    """Remove the titles that are only the names of schemas and properties in another spelling."""
    for schema in schemas.values():
        for titled in (schema, *schema.get("properties", {}).values()):
            titled.pop("title", None)


def _usual_codes(operation: Operation) -> set[str]:
    codes = {"INTERNAL_ERROR", "SERVICE_DEGRADED"}
    if operation.is_api:
        codes |= {"INVALID_QUERY", "RATE_LIMITED"}
    if operation.guards:
        codes |= {"NOT_AUTHENTICATED", "TOKEN_EXPIRED"}
    if operation.guards & {owner, staff}:
        codes |= {"FORBIDDEN"}
    if owner in operation.guards and operation.is_read:
        codes |= _READING_CODES
    if operation.guards and not operation.is_read:
        codes |= {"IDEMPOTENCY_KEY_REUSED"}
    if "{" in operation.path:
        codes |= {"INVALID_REQUEST", "NOT_FOUND"}
    body = operation.made.get("requestBody")
    if body:
        too_large = "FILE_TOO_LARGE" if "multipart/form-data" in body["content"] else "PAYLOAD_TOO_LARGE"
        codes |= {"INVALID_REQUEST", "UNSUPPORTED_MEDIA_TYPE", too_large}
    return codes


def _by_status(codes: Iterable[str], catalogue: Mapping[str, type[Refusal]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for code in sorted(codes):
        groups.setdefault(str(catalogue[code].status), []).append(code)
    return groups


def _add_headers(operation: Operation) -> None:
    names = {"If-None-Match"} if operation.is_tagged else set()
    if owner in operation.guards and operation.is_read and not operation.path.startswith(_REPLAYS):
        names |= _READS
    if operation.guards and not operation.is_read:
        names |= {"Idempotency-Key"}
    parameters = operation.made.setdefault("parameters", [])
    present = {str(parameter.get("name", "")).lower() for parameter in parameters}
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in sorted(names) if name.lower() not in present]


def _wrap_success(operation: Operation) -> None:
    names = ["X-Request-ID", "RateLimit", "RateLimit-Policy", "ETag" if operation.is_read else "X-Event-Position"]
    if operation.is_tagged:
        operation.made["responses"]["304"] = {"description": "The data are those of If-None-Match"}
    for status, response in operation.made["responses"].items():
        content = response.get("content", {}).get("application/json")
        if not status.startswith("2") or content is None:
            continue
        data = content.get("schema")
        envelope: dict[str, Any] = {"$ref": f"#/components/schemas/{'Pending' if status == '202' else 'Success'}"}
        if data:
            typed = {"type": "object", "required": ["data"], "properties": {"data": data}}
            envelope = {"allOf": [envelope, typed]}
        content["schema"] = envelope
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def guarded_by(app: FastAPI, guard: Callable[..., Any]) -> set[str]:
    """Return the operations whose route depends on `guard`, as "GET /api/admin/users"."""
    return {
        f"{method} {route.path_format}"
        for route in iter_route_contexts(app.routes)
        if guard in set(_calls(getattr(route, "dependant", None)))
        for method in route.methods or ()
    }
