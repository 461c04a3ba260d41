"""Addresses and origins in settings: what they may be, and which are too wide or local for production."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

# The widest networks whose every machine may be a proxy: nobody runs proxies in half of the internet.
_WIDEST_PRIVATE = {4: 8, 6: 7}
_WIDEST_PUBLIC = {4: 16, 6: 32}
_LOCAL_NAMES = {"localhost", "localhost.localdomain"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str) -> list[Network]:
    """Return the addresses and networks of a list separated by commas, without `*`; raises ValueError for nonsense."""
    parts = [part.strip() for part in text.split(",")]
    return [ipaddress.ip_network(part, strict=False) for part in parts if part not in {"", "*"}]


def too_wide(text: str) -> bool:
    """Tell whether a list of proxies trusts more than the network of one operator."""
    found = networks(text)
    four = ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv6Network))
    return any(map(_too_wide, four)) or any(map(_too_wide, six))


def _too_wide(network: Network) -> bool:
    if network.prefixlen < _WIDEST_PRIVATE[network.version]:
        return True
    return not network.is_private and network.prefixlen < _WIDEST_PUBLIC[network.version]


def is_local(host: str | None) -> bool:
    """Tell whether a host name means this machine; also where there is none, as for a socket of the file system."""
    if not host or host.lower() in _LOCAL_NAMES or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_problem(origin: str) -> str | None:
    """Return why an origin of production is refused, as the rest of a sentence; None if it is fine."""
    if "*" in origin:
        return "has a wildcard; list the origins of the front end."
    if not origin.startswith("https://"):
        return "has origins without https; list the https origins of the front end."
    parts = urlsplit(origin)
    if is_local(parts.hostname):
        return "has an origin of this machine; list the https origins of the front end."
    if (parts.path, parts.query, parts.fragment, parts.username) != ("", "", "", None):
        return "has an origin with a path; an origin is https://host or https://host:port."
    return None


def origins_problem(origins: Sequence[str]) -> str | None:
    """Return the first problem of a list of origins."""
    return next((problem for origin in origins if (problem := origin_problem(origin))), None)
