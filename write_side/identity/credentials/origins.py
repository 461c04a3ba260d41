"""Where an account is used from: devices and networks from which it was logged in.

A known origin is not slowed down by strangers' failures. Only keyed hashes are stored.
"""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from shared.eventstore.store import UnitOfWork
from shared.eventstore.vault import MasterKey, Vault
from shared.http.rate_limiter import source

COOKIE = "smartmarket_device"
COOKIE_SECONDS = 400 * 24 * 3600  # what browsers keep at most
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

# Remember that an account was logged in from an origin.
UPSERT_ORIGIN = """INSERT INTO credentials.origins (account_key, origin) VALUES (%s, %s)
    ON CONFLICT (account_key, origin) DO UPDATE SET seen_at = now()"""
# Forget every origin of an account.
DELETE_ORIGINS = "DELETE FROM credentials.origins WHERE account_key = %s"


@dataclass(frozen=True)
class Gate:
    """Where a request comes from, and whether failures are counted: the network, and the token of the device."""

    ip: str
    enabled: bool = True
    device: str | None = None

    @classmethod
    def of(cls, host: str | None, cookies: Mapping[str, str] | None = None, *, enabled: bool) -> "Gate":
        """Return the gate of a client's address and cookies; a client without a device becomes a new one.

        IPv6 counts by /64, an invalid address as 0.0.0.0.
        """
        token = (cookies or {}).get(COOKIE, "")
        device = token if _TOKEN.fullmatch(token) else secrets.token_urlsafe(32)
        try:
            return cls(str(ipaddress.ip_network(source(host or ""))), enabled, device)
        except ValueError:
            return cls("0.0.0.0/32", enabled, device)

    def origins(self, keys: MasterKey | Vault) -> "Origins":
        """Return what is stored of the device and of the network."""
        device = keys.lookup_key("device", None, self.device) if self.device else None
        return Origins(device, keys.lookup_key("network", None, self.ip))

    def cookie(self, *, secure: bool) -> dict[str, str]:
        """Return the header by which the client's browser is known as this device from now on."""
        value = f"{COOKIE}={self.device}; Max-Age={COOKIE_SECONDS}; Path=/api/auth; HttpOnly; SameSite=Strict"
        return {"Set-Cookie": value + ("; Secure" if secure else "")}


class Origins(NamedTuple):
    """Keyed hashes of a device, None without one, and of a network."""

    device: bytes | None
    network: bytes


def remember(unit: UnitOfWork, account_key: bytes, gate: Gate) -> None:
    """Remember that the account was logged in from device and network."""
    for origin in filter(None, gate.origins(unit.vault)):
        unit.sql(UPSERT_ORIGIN, (account_key, origin))


def forget(unit: UnitOfWork, account_key: bytes) -> None:
    """Forget from where the account was logged in."""
    unit.sql(DELETE_ORIGINS, (account_key,))
