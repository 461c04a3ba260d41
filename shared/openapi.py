"""The OpenAPI 3.1 document: the framework's own, completed with the envelope, the errors, and who may call what."""

import importlib.metadata
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from shared import openapi_components as components
from shared.bearer import owner, principal, staff
from shared.errors import Refusal, refusals
from shared.failures import query_names

Operation = dict[str, Any]
_READS = {"get"}
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")


def refuses(*classes: type[Refusal]) -> dict[str, Any]:
    """Return what a route passes as `openapi_extra` to name refusals of its own, beyond those every route has."""
    return {"x-error-codes": [cls.error_code for cls in classes]}


def example(data: Any, description: str = "Success", *, pending: bool = False) -> dict[str, Any]:  # noqa: ANN401
    """Return what a route passes in `responses={200: …}` to show `data` in the envelope as the example."""
    return {
        "description": description,
        "content": {"application/json": {"example": components.success_example(data, pending=pending)}},
    }


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all routes of `app`."""
    catalogue = refusals()
    made = get_openapi(
        title=app.title, version=version(), summary=app.summary, description=components.description(catalogue),
        openapi_version="3.1.0", routes=app.routes,
    )  # fmt: skip
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            operation = made["paths"].get(route.path_format, {}).get(method.lower())
            if operation:
                _complete(operation, Where(method.lower(), str(route.path_format), _calls(route)), catalogue)
    _add_components(made, catalogue)
    made["x-error-codes"] = components.error_codes(catalogue)
    return made


def version() -> str:
    """Return the version of the installed distribution."""
    try:
        return importlib.metadata.version("smartmarket")
    except importlib.metadata.PackageNotFoundError:
        return "0.0.0"


def _add_components(made: dict[str, Any], catalogue: dict[str, type[Refusal]]) -> None:
    ours = components.components(catalogue)
    theirs = made.setdefault("components", {})
    for kind, entries in ours.items():
        theirs[kind] = {**theirs.get(kind, {}), **entries}
    for name in _FRAMEWORK_SCHEMAS:
        theirs["schemas"].pop(name, None)


def _complete(
    operation: Operation, method: str, path: str, dependant: Any, catalogue: dict[str, type[Refusal]]  # noqa: ANN401
) -> None:  # fmt: skip
    guards = _guards(dependant)
    is_api = path.startswith("/api/")
    operation["responses"].pop("422", None)
    if guards:
        operation["security"] = [{"bearer": []}]
    if is_api:
        _add_headers(operation, method, guards)
        _wrap_success(operation, method)
    codes = {*operation.get("x-error-codes", ()), *_usual_codes(operation, method, guards, dependant, is_api=is_api)}
    operation["x-error-codes"] = sorted(codes)
    for status, group in _by_status(codes, catalogue).items():
        operation["responses"].setdefault(status, components.error_response(group))


def _guards(dependant: Any) -> set[Any]:  # noqa: ANN401  (the framework's own structure)
    found = {getattr(dependant, "call", None)} & {principal, owner, staff}
    for inner in getattr(dependant, "dependencies", ()):
        found |= _guards(inner)
    return found


def _usual_codes(
    operation: Operation, method: str, guards: set[Any], dependant: Any, *, is_api: bool  # noqa: ANN401
) -> set[str]:  # fmt: skip
    codes = {"INTERNAL_ERROR", "SERVICE_DEGRADED", *({"RATE_LIMITED"} if is_api else ())}
    if guards:
        codes |= {"NOT_AUTHENTICATED", "TOKEN_EXPIRED"}
    if guards & {owner, staff}:
        codes |= {"FORBIDDEN"}
    if query_names(dependant):
        codes |= {"INVALID_QUERY"}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ()) if "in" in parameter):
        codes |= {"INVALID_REQUEST", "NOT_FOUND"}
    if "requestBody" in operation:
        is_form = "multipart/form-data" in operation["requestBody"]["content"]
        codes |= {"INVALID_REQUEST", "UNSUPPORTED_MEDIA_TYPE", "FILE_TOO_LARGE" if is_form else "PAYLOAD_TOO_LARGE"}
    if owner in guards:
        reading = {"INVALID_POSITION", "PROJECTION_BEHIND", "PROJECTION_PARKED"}
        codes |= reading if method in _READS else {"IDEMPOTENCY_KEY_REUSED"}
    return codes


def _by_status(codes: Iterable[str], catalogue: dict[str, type[Refusal]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for code in sorted(codes):
        groups.setdefault(str(catalogue[code].status), []).append(code)
    return groups


def _add_headers(operation: Operation, method: str, guards: set[Any]) -> None:
    if owner not in guards:
        return
    names = ("X-Min-Event-Position", "X-Replay") if method in _READS else ("Idempotency-Key",)
    parameters = operation.setdefault("parameters", [])
    present = {str(parameter.get("name", "")).lower() for parameter in parameters}
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in names if name.lower() not in present]


def _wrap_success(operation: Operation, method: str) -> None:
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        if not status.startswith("2") or content is None:
            continue
        data = content.get("schema")
        envelope: dict[str, Any] = {"$ref": "#/components/schemas/Success"}
        if data:
            envelope = {"allOf": [envelope, {"type": "object", "properties": {"data": data}}]}
        content["schema"] = envelope
        names = ["X-Request-ID", *([] if method in _READS else ["X-Event-Position"])]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
