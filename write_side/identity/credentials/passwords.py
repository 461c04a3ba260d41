"""Which passwords are good enough, and how they are kept: argon2id, never in clear, never cut short."""

import functools
import threading
from importlib import import_module
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.domain.refusals.identity import WeakPassword

SHORTEST, LONGEST = 8, 128
# An account that does not exist is checked against this, so that it takes as long.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$SwtHSRWDAvE+W8xau2qL/A$OgTLIErnYG1hfY3TMw5cUDTcNA8tbrjpLWoS4TPn9wA"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
# Limits concurrent hashing: each hash takes 19 MiB and a core.
SLOTS = threading.BoundedSemaphore(2)


def check(password: str, *, email: str, first_name: str) -> None:
    """Raise WeakPassword unless the password may be used by this person.

    8 to 128 characters as they were typed, of any kind, not among the most common ones in English or romanised Bangla,
    and neither the e-mail, the part before its @, nor the name. `details.reason` says which rule refused it.
    """
    reason = _weakness(password, email, first_name)
    if reason:
        raise WeakPassword(details={"reason": reason, "min_length": SHORTEST, "max_length": LONGEST})


def _weakness(password: str, email: str, first_name: str) -> str | None:
    if len(password) < SHORTEST:
        return "too_short"
    if len(password) > LONGEST:
        return "too_long"
    plain = password.casefold().strip()
    if plain in {email.casefold(), email.partition("@")[0].casefold()}:
        return "same_as_email"
    if plain == first_name.casefold():
        return "same_as_name"
    return "too_common" if plain in common() else None


@functools.cache
def common() -> frozenset[str]:
    """Return the passwords that are tried first, in lower case, of those long enough to matter."""
    lists: dict[str, list[str]] = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    bangla = (
        files("write_side.identity.credentials").joinpath("bangla_passwords.txt").read_text(encoding="utf-8").split()
    )
    return frozenset(word for word in (*lists["passwords"], *bangla) if len(word) >= SHORTEST)


def hashed(password: str) -> str:
    """Return the argon2id hash (m=19456 KiB, t=2, p=1) with a salt of its own."""
    with SLOTS:
        return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Tell whether the password is the one kept; takes as long where none is. Call it holding one of the SLOTS."""
    try:
        _HASHER.verify(kept or NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def renewed(kept: str, password: str) -> str | None:
    """Return the hash of the same password with today's parameters, None where `kept` has those already."""
    return hashed(password) if _HASHER.check_needs_rehash(kept) else None
