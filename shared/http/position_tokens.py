"""Event positions as opaque tokens, valid for one business only.

A plain position would reveal to every tenant how many events all tenants produce.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import InvalidPosition
from shared.eventstore.vault import derive

_NONCE = 12


class PositionTokens:
    """Encrypts and decrypts positions for one business."""

    def __init__(self, secret: str) -> None:
        """Derive the encryption key from the master secret."""
        self._cipher = AESGCM(derive(secret, "positions"))

    def seal(self, business_id: int | None, position: int) -> str:
        """Return the token of a position for this business, as URL-safe text."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, position.to_bytes(8, "big"), _scope(business_id))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, token: str, business_id: int | None) -> int:
        """Return the position of a token; raises InvalidPosition for tokens of another business and invalid ones."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return int.from_bytes(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _scope(business_id)), "big")
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise InvalidPosition from error


def _scope(business_id: int | None) -> bytes:
    return f"business-{business_id}".encode()
