"""Signed checkpoints of the log, kept outside the database: an owner of the database cannot rewrite them.

A checkpoint says that the log had `size` events, the Merkle root over their hashes, and the hash of the last one. It is
signed by Ed25519 (RFC 8032) with a key that the database never sees.
"""

import base64
import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_SEED_BYTES = 32
_TAIL_BYTES = 4096  # longer than any line


class DamagedCheckpoint(ValueError):
    """A stored checkpoint cannot be read; names its place."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of one shard of the log at one moment; `root` and `head` are SHA-256 hashes."""

    shard: int
    size: int
    root: bytes
    head: bytes
    at: dt.datetime
    key_id: str = ""
    signature: bytes = b""

    @property
    def text(self) -> bytes:
        """Return what is signed."""
        at = self.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lines = ("smartmarket checkpoint 1", self.shard, self.size, self.root.hex(), self.head.hex(), at)
        return "".join(f"{line}\n" for line in lines).encode()

    def to_json(self) -> bytes:
        """Return the checkpoint as one line of JSON."""
        fields = {
            "root": self.root.hex(),
            "head": self.head.hex(),
            "signature": base64.b64encode(self.signature).decode(),
        }
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        return orjson.dumps({"shard": self.shard, "size": self.size, **fields, "at": at, "key_id": self.key_id})

    @classmethod
    def from_json(cls, line: bytes, place: str) -> Self:
        """Read what `to_json` wrote; raises DamagedCheckpoint."""
        try:
            found = orjson.loads(line)
            hashes = bytes.fromhex(found["root"]), bytes.fromhex(found["head"])
            at, signature = dt.datetime.fromisoformat(found["at"]), base64.b64decode(found["signature"])
            return cls(int(found["shard"]), int(found["size"]), *hashes, at, str(found["key_id"]), signature)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedCheckpoint(place) from error


class CheckpointKey:
    """Signs checkpoints and verifies their signatures."""

    def __init__(self, seed: bytes) -> None:
        """Use the Ed25519 key of a 32-byte seed."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(self.public).hexdigest()[:16]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the seed from base64 text; raises ValueError if it is not 32 bytes."""
        seed = base64.b64decode(text, validate=True)
        if len(seed) != _SEED_BYTES:
            msg = f"{len(seed)} bytes instead of {_SEED_BYTES}"
            raise ValueError(msg)
        return cls(seed)

    def signed(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the checkpoint with this key's signature."""
        signature = self._key.sign(checkpoint.text)
        fields = (checkpoint.shard, checkpoint.size, checkpoint.root, checkpoint.head, checkpoint.at)
        return Checkpoint(*fields, self.id, signature)

    def has_signed(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the signature is this key's and fits what the checkpoint says."""
        try:
            self._key.public_key().verify(checkpoint.signature, checkpoint.text)
        except InvalidSignature:
            return False
        return True


class Anchor(Protocol):
    """Keeps checkpoints outside the database."""

    def append(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint durably."""

    def read(self) -> Iterator[Checkpoint]:
        """Yield every stored checkpoint; raises DamagedCheckpoint."""


class FileAnchor:
    """Checkpoints in a file, one per line, written through to the disk."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`; it is created with the first checkpoint."""
        self._path = path

    def append(self, checkpoint: Checkpoint) -> None:
        """Append a line; one that an interrupted write left unfinished is removed first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
            file.seek(start)
            file.seek(start + file.read().rfind(b"\n") + 1)
            file.truncate()
            file.write(checkpoint.to_json() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Checkpoint]:
        """Yield the checkpoints; a last line without its end was never acknowledged and is skipped."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield Checkpoint.from_json(line, f"{self._path}, line {number}")


class ObjectAnchor:
    """Checkpoints in an object store, one object each: `s3://bucket/prefix`, `gs://…`, `az://…` or `file:///dir`."""

    def __init__(self, url: str) -> None:
        """Open the store at `url`; needs the `object-store` extra."""
        import obstore  # noqa: PLC0415 - an optional dependency

        self._store: Any = obstore.store.from_url(url)
        self._obstore: Any = obstore

    def append(self, checkpoint: Checkpoint) -> None:
        """Store one object, named by shard and size."""
        self._obstore.put(self._store, f"{checkpoint.shard}/{checkpoint.size:020}.json", checkpoint.to_json())

    def read(self) -> Iterator[Checkpoint]:
        """Yield the checkpoints in order of shard and size."""
        found = [item["path"] for batch in self._obstore.list(self._store) for item in batch]
        for path in sorted(found):
            yield Checkpoint.from_json(bytes(self._obstore.get(self._store, path).bytes()), path)


def open_anchor(setting: str, data_dir: Path) -> Anchor:
    """Return where the setting says that checkpoints are kept: a URL, a file, or by default a file in `data_dir`."""
    if "://" in setting:
        return ObjectAnchor(setting)
    return FileAnchor(Path(setting) if setting else data_dir / "checkpoints.jsonl")
