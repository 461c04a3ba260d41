"""The built files of the front ends: read once, with their compressed twins, types and how long they may be cached."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# In order of preference; the browser's own order of equal weights does not matter.
_ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
_REFUSED: Final = re.compile(r"q=0(\.0{0,3})?")
_HASHED, _OTHER = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True)
class Asset:
    """One file: `bodies` by content encoding ("" is the file itself), and the headers of every answer."""

    media_type: str
    etag: str
    cache: str
    bodies: Mapping[str, bytes]

    def encoded(self, accept_encoding: str) -> tuple[str, bytes]:
        """Return the content encoding to answer with ("" for none) and the body."""
        accepted = {
            name.strip() for part in accept_encoding.split(",") for name, *q in [part.split(";")] if not _zero(q)
        }
        for encoding in _ENCODINGS:
            if encoding in accepted and encoding in self.bodies:
                return encoding, self.bodies[encoding]
        return "", self.bodies[""]


def _zero(parameters: list[str]) -> bool:
    return any(p.strip().replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for p in parameters)


def load(folder: Path = FOLDER) -> dict[str, Asset]:
    """Return every file below `folder` by its path, such as `assets/owner-1a2b3c.js`; empty if nothing was built."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _TYPES)
    return {path.relative_to(folder).as_posix(): _asset(path, hashed=path.parent.name == "assets") for path in found}


def _asset(path: Path, *, hashed: bool) -> Asset:
    content = path.read_bytes()
    twins = {encoding: Path(f"{path}{suffix}") for encoding, suffix in _ENCODINGS.items()}
    bodies = {"": content} | {encoding: twin.read_bytes() for encoding, twin in twins.items() if twin.is_file()}
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return Asset(_TYPES[path.suffix], etag, _HASHED if hashed else _OTHER, bodies)
