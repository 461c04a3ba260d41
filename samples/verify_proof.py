"""Checks offline that an event is in SmartMarket's log. Needs Python 3.11 or newer, nothing else.

    python verify_proof.py PROOF.json --public-key HEX [--checkpoint OLD.json]

PROOF.json is the answer of GET /api/proofs/{position}. --public-key is the key that signs checkpoints, as
`smartmarket audit checkpoint` shows it. --checkpoint is a checkpoint that you kept: a line of checkpoints.jsonl, or the
`checkpoint` of an earlier answer; the proof must then have been asked for with `since` = its size. What is shown:

- the checkpoint is signed by the key (Ed25519, RFC 8032);
- the event's hash is a leaf of the checkpoint's Merkle tree (RFC 6962);
- with `content=true`, the event's content has that hash after the hash of the event before;
- with --checkpoint, the log still begins with what you kept.

Exit code 0 if all of it holds, 1 with the first reason if not, 2 for files that cannot be read.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


Json = dict[str, Any]
Point = tuple[int, int, int, int]


class NotProven(Exception):
    """The proof does not hold; says why."""


def sha256(data: bytes) -> bytes:
    """Return SHA-256."""
    return hashlib.sha256(data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node of the tree."""
    return sha256(b"\x01" + left + right)


def root_of_inclusion(leaf_data: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that the audit path leads to (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise NotProven("the position is not within the checkpoint")
    position, last, found = index, size - 1, sha256(b"\x00" + leaf_data)
    for sibling in path:
        if last == 0:
            raise NotProven("the path is too long")
        if position & 1 or position == last:
            found = node(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node(found, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise NotProven("the path is too short")
    return found


def roots_of_consistency(old: int, size: int, path: list[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Return the roots of both trees that the proof leads to (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= size:
        raise NotProven("the kept checkpoint is larger than the new one: the log was cut")
    if old == size:
        return old_root, old_root
    if not path:
        raise NotProven("the proof of consistency is empty")
    hashes = path if old & (old - 1) else [old_root, *path]
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise NotProven("the proof of consistency is too long")
        if position & 1 or position == last:
            before, after = node(sibling, before), node(sibling, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node(after, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise NotProven("the proof of consistency is too short")
    return before, after


def x_of(y: int, sign: int) -> int | None:
    """Return the x coordinate of a point of the curve; None if there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(encoded: bytes) -> Point | None:
    """Return the point that 32 bytes encode; None if there is none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(p: Point, q: Point) -> Point:
    """Return the sum of two points in extended coordinates."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, p: Point) -> Point:
    """Return a multiple of a point."""
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = add(found, p)
        p, number = add(p, p), number >> 1
    return found


BASE_Y = 4 * pow(5, -1, P) % P
BASE: Point = point(BASE_Y.to_bytes(32, "little"))  # type: ignore[assignment]


def is_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(challenge, key))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def signed_text(checkpoint: Json) -> bytes:
    """Return what the signature of a checkpoint covers."""
    at = checkpoint["at"].replace("+00:00", "Z")
    numbers, hashes = (checkpoint["shard"], checkpoint["size"]), (checkpoint["root"], checkpoint["head"])
    lines = ("smartmarket checkpoint 1", *numbers, *hashes, at)
    return "".join(f"{line}\n" for line in lines).encode()


def check_signature(checkpoint: Json, public: bytes, name: str) -> None:
    """Raise NotProven unless the checkpoint is signed by the key."""
    if not is_signed(public, signed_text(checkpoint), base64.b64decode(checkpoint["signature"])):
        raise NotProven(f"the {name} checkpoint is not signed by this key")


def verify(proof: Json, public: bytes, kept: Json | None) -> None:
    """Raise NotProven unless all of it holds."""
    checkpoint, found = proof["checkpoint"], bytes.fromhex(proof["hash"])
    root = bytes.fromhex(checkpoint["root"])
    check_signature(checkpoint, public, "new")
    path = [base64.b64decode(part) for part in proof["path"]]
    if root_of_inclusion(found, proof["position"] - 1, checkpoint["size"], path) != root:
        raise NotProven("the event is not in the log of the checkpoint")
    if proof.get("content") is not None:
        before = bytes.fromhex(proof["previous_hash"] or "")
        if sha256(before + base64.b64decode(proof["content"])) != found:
            raise NotProven("the content is not that of the event")
    if kept:
        check_signature(kept, public, "kept")
        check_consistency(proof, checkpoint, kept, root)


def check_consistency(proof: Json, checkpoint: Json, kept: Json, root: bytes) -> None:
    """Raise NotProven unless the log begins with the kept checkpoint."""
    if kept["shard"] != checkpoint["shard"]:
        raise NotProven("the kept checkpoint is of another shard")
    old = bytes.fromhex(kept["root"])
    older = proof.get("consistency") or {"size": kept["size"], "path": []}
    if older["size"] != kept["size"]:
        raise NotProven(f"ask for the proof with since={kept['size']}")
    path = [base64.b64decode(part) for part in older["path"]]
    if roots_of_consistency(kept["size"], checkpoint["size"], path, old) != (old, root):
        raise NotProven("the log no longer begins with the kept checkpoint")


def read(path: str) -> Json:
    """Return the JSON object in a file, without the envelope of an answer."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return dict(found.get("data", found))


def main() -> int:
    """Check the proof that the command line names."""
    parser = argparse.ArgumentParser(description="Checks offline that an event is in SmartMarket's log.")
    parser.add_argument("proof")
    parser.add_argument("--public-key", required=True)
    parser.add_argument("--checkpoint")
    args = parser.parse_args()
    try:
        kept = read(args.checkpoint) if args.checkpoint else None
        verify(read(args.proof), bytes.fromhex(args.public_key), kept and kept.get("checkpoint", kept))
    except NotProven as reason:
        sys.stdout.write(f"not proven: {reason}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"cannot be read: {type(error).__name__}: {error}\n")
        return 2
    sys.stdout.write("proven\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
