"""Documentation pages: Swagger UI and ReDoc, with all their assets served by this application."""

import importlib.util
from pathlib import Path
from typing import Final

import anyio.to_thread
import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from shared.http.error_handlers import UnknownRoute
from shared.http.openapi import document

_CACHE: Final = {"Cache-Control": "public, max-age=86400"}
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
_SWAGGER: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>SmartMarket API</title><link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head><body><div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>"""
_START: Final = """SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, filter: true,
  docExpansion: "none", displayRequestDuration: true, validatorUrl: null, presets: [SwaggerUIBundle.presets.apis]})"""
_REDOC: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>SmartMarket API</title><link rel="icon" href="docs/favicon.png"><style>body{margin:0;padding:0}</style></head>
<body><redoc spec-url="openapi.json"></redoc><script src="docs/redoc.standalone.js"></script></body></html>"""


def install(app: FastAPI) -> None:
    """Serve /api/docs, /api/redoc, /api/openapi.json and their assets; raises RuntimeError if they are missing."""
    folder = _assets()

    async def openapi(_: Request) -> Response:
        return Response(await anyio.to_thread.run_sync(_document, app), media_type="application/json")

    async def swagger(_: Request) -> Response:
        return HTMLResponse(_SWAGGER, headers=_PAGE_HEADERS)

    async def redoc(_: Request) -> Response:
        return HTMLResponse(_REDOC, headers=_PAGE_HEADERS)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            return Response(_START, media_type="text/javascript", headers=_CACHE)
        if name not in _ASSETS:
            raise UnknownRoute
        return FileResponse(folder / name, media_type=_ASSETS[name], headers=_CACHE)

    app.add_route("/api/openapi.json", openapi, include_in_schema=False)
    app.add_route("/api/docs", swagger, include_in_schema=False)
    app.add_route("/api/redoc", redoc, include_in_schema=False)
    app.add_route("/api/docs/{name}", asset, include_in_schema=False)


def _document(app: FastAPI) -> bytes:
    if app.openapi_schema is None:
        app.openapi_schema = document(app)
    return orjson.dumps(app.openapi_schema)


def _assets() -> Path:
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        msg = "the documentation pages need the package fastapi-offline; install it or set SMARTMARKET_DOCS=off"
        raise RuntimeError(msg)
    return Path(spec.origin).parent / "static"
