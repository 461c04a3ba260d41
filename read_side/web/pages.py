"""Serves the owner's app at / and the operator's console at /console, as built from web/.

Every page of a front end is its index: the address is read by the front end. Below / and /console only requests that
accept HTML get a page; for other clients an unknown address stays a 404 in the error envelope.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from read_side.web.assets import Asset, load
from shared.http.error_handlers import UnknownRoute

router = APIRouter(include_in_schema=False)
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
}
_FRONTS: Final = {"": "index.html", "console": "console.html"}
_ASSETS = load()


class _PagePath(StringConvertor):
    """Every path that is not the API's, a probe's or the metrics'."""

    regex = r"(?!(?:api|health|metrics)(?:/|$)).*"


register_url_convertor("page", _PagePath())


@router.api_route("/{path:page}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def show_page(request: Request) -> Response:
    """Return a built file, or the index of the front end that the address belongs to."""
    asset = _asset(request.path_params["path"], request.headers.get("accept", "")) if request.method == "GET" else None
    if asset is None:
        raise UnknownRoute
    return _answer(request, asset)


def _asset(path: str, accept: str) -> Asset | None:
    if path in _FRONTS:
        return _ASSETS.get(_FRONTS[path])
    if path in _ASSETS:
        return _ASSETS[path]
    if path.startswith("assets/") or "text/html" not in accept:
        return None
    return _ASSETS.get(_FRONTS.get(path.partition("/")[0], _FRONTS[""]))


def _answer(request: Request, asset: Asset) -> Response:
    headers = {"Cache-Control": asset.cache, "ETag": asset.etag, "Vary": "Accept, Accept-Encoding"}
    if asset.media_type.startswith(("text/html", "text/javascript")):
        headers |= _PAGE_HEADERS  # of a script too: the service worker is bound by the policy it was served with
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    encoding, body = asset.encoded(request.headers.get("accept-encoding", ""))
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type=asset.media_type)
