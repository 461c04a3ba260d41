"""Validates real answers against the OpenAPI document: an answer that is not documented becomes an error."""

import datetime as dt
import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from brotli_asgi import BrotliMiddleware
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.quick_schemas import Check, QuickSchemas

logger = logging.getLogger("tests.conformance")
FORMATS = FormatChecker(["date", "uuid"])
METHODS = ("get", "post", "put", "patch", "delete")


@FORMATS.checks("date-time", ValueError)
def _is_date_time(text: object) -> bool:
    return not isinstance(text, str) or dt.datetime.fromisoformat(text).tzinfo is not None


class Contract:
    """The document of an application, strict: objects have no properties beyond those documented."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Compile `document`."""
        closed = json.loads(json.dumps(document))
        for schema in closed["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        resource: Resource[Any] = Resource.from_contents(closed, DRAFT202012)
        self._document = closed
        self._quick = QuickSchemas(closed["components"]["schemas"], "#/components/schemas/", FORMATS)
        self._registry: Registry[Any] = Registry().with_resource("urn:document", resource)
        self.operations: dict[str, tuple[str, str, dict[str, Any]]] = {
            methods[method]["operationId"]: (path, method, methods[method])
            for path, methods in closed["paths"].items()
            for method in METHODS
            if method in methods
        }

    @lru_cache(maxsize=1024)  # noqa: B019 - one contract per application, as long as the tests
    def _validator(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator(
            {"$ref": f"urn:document#{pointer}"}, registry=self._registry, format_checker=FORMATS
        )

    @lru_cache(maxsize=1024)  # noqa: B019 - likewise
    def _certain(self, pointer: str) -> Check:
        schema = self._document
        for part in pointer.split("/")[1:]:
            schema = schema[part.replace("~1", "/").replace("~0", "~")]
        return self._quick.check(schema)

    def violations(self, operation_id: str | None, status: int, media_type: str, body: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
        """Yield what is not as documented; answers given before routing must be errors."""
        if operation_id not in self.operations:
            yield from self._errors("/components/schemas/" + _error_schema(media_type), body)
            return
        operation = self.operations[operation_id][2]
        response = operation["responses"].get(str(status))
        if response is None or media_type not in response.get("content", {}):
            yield f"{operation_id} documents no {status} {media_type}: {json.dumps(body)[:500]}"
            return
        yield from self._errors(self.pointer(operation_id, status, media_type), body)
        code = body.get("error_code") if isinstance(body, dict) else None
        if code is not None and code not in operation["x-error-codes"]:
            yield f"{operation_id} does not document {code}"

    def pointer(self, operation_id: str, status: int, media_type: str) -> str:
        """Return where in the document the schema of an answer is."""
        path, method, _ = self.operations[operation_id]
        place = [path.replace("~", "~0").replace("/", "~1"), method, "responses", str(status), "content"]
        return "/paths/" + "/".join([*place, media_type.replace("/", "~1"), "schema"])

    def _errors(self, pointer: str, body: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
        if self._certain(pointer)(body):
            return
        for error in self._validator(pointer).iter_errors(body):
            yield f"{error.json_path}: {error.message[:500]}"


# Other JSON, such as the manifest of the owner's app, is a file and no answer of the API.
_CHECKED = {"application/json", "application/problem+json"}


class ConformanceMiddleware:
    """Replaces a JSON answer that is not documented by an error that says why."""

    def __init__(self, app: ASGIApp, *, api: FastAPI) -> None:
        """Wrap `app`, whose routes are those of `api`."""
        self.app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start" and _media_type(message) in _CHECKED:
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    for checked in self._checked(scope, held):
                        await send(checked)

        await self.app(scope, receive, hold)

    def _checked(self, scope: Scope, held: list[Message]) -> list[Message]:
        body = b"".join(message.get("body", b"") for message in held[1:])
        if scope["path"] == "/api/openapi.json" or scope["method"] == "HEAD" or not body:
            return held
        name = getattr(scope.get("endpoint"), "__name__", None)
        found = list(_contract(self._api).violations(name, held[0]["status"], _media_type(held[0]), json.loads(body)))
        if not found:
            return held
        report = "\n".join([f"{scope['method']} {scope['path']} is not answered as documented:", *found])
        logger.error(report)
        text = report.encode()
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        return [
            {"type": "http.response.start", "status": 500, "headers": headers},
            {"type": "http.response.body", "body": text},
        ]


def conformant(app: FastAPI) -> FastAPI:
    """Return `app`, with every JSON answer validated against its document."""
    layers: list[Any] = [layer.cls for layer in app.user_middleware]
    compression = layers.index(BrotliMiddleware)
    app.user_middleware.insert(compression + 1, Middleware(ConformanceMiddleware, api=app))
    return app


_CONTRACTS: list[tuple[list[object], Contract]] = []


@lru_cache(maxsize=8)
def _contract(api: FastAPI) -> Contract:
    """Return the contract of an application; applications of the same routers share one: it takes a second to make."""
    routes = [getattr(route, "original_router", None) or getattr(route, "path", "") for route in api.routes]
    for known, contract in _CONTRACTS:
        if len(known) == len(routes) and all(a is b or a == b for a, b in zip(known, routes, strict=True)):
            return contract
    _CONTRACTS.append((routes, Contract(api.openapi())))
    return _CONTRACTS[-1][1]


def _error_schema(media_type: str) -> str:
    return "Problem" if media_type == "application/problem+json" else "Error"


def _media_type(message: Message) -> str:
    headers = dict(message["headers"])
    return str(headers.get(b"content-type", b""), "latin-1").partition(";")[0]
