"""A shop as its owner's program sees it: over HTTP."""

import time
import uuid
from types import TracebackType
from typing import Any, Self

import httpx

_POLL_SECONDS = 0.025
_PATIENCE = 300.0
# Every projection shows in one of these.
_LISTS = ("/api/transactions", "/api/products", "/api/customers", "/api/business/profile")


class Shop:
    """A new owner with a business; `with Shop(url) as shop:` closes the connection afterwards."""

    def __init__(self, url: str) -> None:
        """Register at the API at `url`."""
        self._http = httpx.Client(base_url=url, timeout=60.0, headers={"Accept-Language": "en"})
        body = {
            "email": f"{uuid.uuid4().hex}@shop.bd",
            "password": "SecurePass123",
            "first_name": "Ali",
            "business_name": "Ali Tea Shop",
            "business_type": "restaurant",
            "language": "en",
        }
        data = self._data(self._http.post("/api/auth/register", json=body))
        self.business_id: int = data["business"]["id"]
        self.token: str = data["tokens"]["access_token"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> Self:
        """Return the shop."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def upload(self, content: bytes) -> str:
        """Send a ledger; returns its file id."""
        answer = self._http.post("/api/data/upload-csv", files={"file": ("sales.csv", content, "text/csv")})
        return str(self._data(answer)["file_id"])

    def undo(self, file_id: str) -> None:
        """Take back the only upload of this shop; returns once no list shows anything of it."""
        self._data(self._http.post(f"/api/data/uploads/{file_id}/undo", json={}))
        _, position = self.completed(file_id, "undone")
        for path in _LISTS[:3]:
            shown = self._data(self._http.get(path, headers={"X-Min-Event-Position": position}))
            assert shown["count"] == 0, (path, shown["count"])

    def completed(self, file_id: str, state: str = "completed") -> tuple[dict[str, Any], str]:
        """Return the upload once it is read, or in another state, and the position to read on from."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            answer = self._http.get(f"/api/data/uploads/{file_id}")
            if answer.status_code != httpx.codes.NOT_FOUND:
                data = self._data(answer)
                if data["state"] in {state, "failed"}:
                    assert data["state"] == state, data
                    return data, answer.headers["X-Event-Position"]
            time.sleep(_POLL_SECONDS)
        msg = f"upload {file_id} was not read within {_PATIENCE:.0f} s"
        raise TimeoutError(msg)

    def preview(self, content: bytes) -> dict[str, Any]:
        """Return what an upload of a ledger would do."""
        return self._data(self._http.post("/api/data/preview", files={"file": ("sales", content)}))

    def import_file(self, content: bytes, rows: int | None = None) -> dict[str, Any]:
        """Send a new shop's first ledger; returns once every list shows all of it, and nothing was lost.

        rows: how many the file has, where its lines do not say.
        """
        data, position = self.completed(self.upload(content))
        for path in _LISTS:
            shown = self._data(self._http.get(path, headers={"X-Min-Event-Position": position}))
            if path == _LISTS[0]:
                assert shown["count"] == data["created"], (shown["count"], data)
        expected = content.count(b"\n") - 1 if rows is None else rows
        assert data["rows"] == data["created"] + data["duplicates"] + data["rejected"] == expected, data
        return data

    @classmethod
    def import_once(cls, url: str, content: bytes) -> dict[str, Any]:
        """Import a ledger into a new shop that is of no further use."""
        with cls(url) as shop:
            return shop.import_file(content)

    def get(self, path: str) -> dict[str, Any]:
        """Return the data at a path."""
        return self._data(self._http.get(path))

    @staticmethod
    def _data(answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
        return dict(answer.json()["data"])
