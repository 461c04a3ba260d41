"""How large files may be, checked before a body is read."""

from starlette.requests import Request

from write_side.sales.upload.stream import too_large

MAX_CSV_BYTES = 10_485_760
MAX_IMAGE_BYTES = 5_242_880
_FORM_OVERHEAD = 64 * 1024


def insist_on_length(request: Request, limit: int) -> None:
    """Raise FileTooLarge for a body that announces more than a file of `limit` bytes."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit + _FORM_OVERHEAD:
        raise too_large(limit)
