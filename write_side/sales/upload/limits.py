"""How large files may be, checked before a body is read."""

from starlette.requests import Request

from write_side.sales.upload.stream import too_large

MAX_CSV_BYTES = 10_485_760
MAX_IMAGE_BYTES = 5_242_880
_FORM_OVERHEAD = 64 * 1024


def insist_on_length(request: Request, limit: int) -> None:
    """Raise FileTooLarge for a body that announces more than a file of `limit` bytes."""
    if announced(request) > limit + _FORM_OVERHEAD:
        raise too_large(limit)


def announced(request: Request) -> int:
    """Return how many bytes a body announces, 0 for one that does not say."""
    length = request.headers.get("content-length", "")
    return int(length[:20]) if length.isascii() and length.isdigit() else 0
