"""Which passwords are good enough, and how they are kept: argon2id, never in clear, never cut short."""

import functools
import re
import threading
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.domain.refusals.identity import WeakPassword

SHORTEST, LONGEST = 8, 128
GUESSES = 1_000_000
_ESTIMATED = 72  # zxcvbn takes long for more
_OURS = ("smartmarket", "smart market", "bangladesh", "dhaka")
_SHORTEST_WORD = 3
_SEPARATORS = str.maketrans("", "", " -_.,'")
_PART = re.compile(r"[^\W_]+")
# An account that does not exist is checked against this, so that it takes as long.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$SwtHSRWDAvE+W8xau2qL/A$OgTLIErnYG1hfY3TMw5cUDTcNA8tbrjpLWoS4TPn9wA"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
# Limits concurrent hashing: each hash takes 19 MiB and a core.
SLOTS = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Person:
    """Whose password it is: what others know of an owner, and try first."""

    email: str = ""
    first_name: str = ""
    shop: str = ""

    def words(self) -> list[str]:
        """Return the names and their parts, in lower case."""
        names = [self.email, self.email.partition("@")[0], self.first_name, self.shop, *_OURS]
        parts = [part for name in names for part in _PART.findall(name)]
        return list(dict.fromkeys(word.casefold() for word in (*names, *parts) if len(word) >= _SHORTEST_WORD))


def check(password: str, person: Person) -> None:
    """Raise WeakPassword unless the password may be used by this person.

    8 to 128 characters as they were typed, of any kind, not among the most common ones in English or romanised Bangla,
    and neither the e-mail, the part before its @, nor the name. A guesser who knows these, the shop's name and the
    usual patterns must need more than a million guesses. `details.reason` says which rule refused it.
    """
    reason = _weakness(password, person)
    if reason:
        raise WeakPassword(details={"reason": reason, "min_length": SHORTEST, "max_length": LONGEST})


def _weakness(password: str, person: Person) -> str | None:
    if len(password) < SHORTEST:
        return "too_short"
    if len(password) > LONGEST:
        return "too_long"
    plain = password.casefold().strip()
    if plain in {person.email.casefold(), person.email.partition("@")[0].casefold()}:
        return "same_as_email"
    if plain == person.first_name.casefold():
        return "same_as_name"
    if plain in common():
        return "too_common"
    return "too_guessable" if guesses(password, person) < GUESSES else None


def guesses(password: str, person: Person) -> int:
    """Return how many guesses a person of the neighbourhood needs, by zxcvbn (Wheeler, USENIX Security 2016)."""
    zxcvbn, known = import_module("zxcvbn").zxcvbn, [*person.words(), *_bangla()]
    # Separators between known words cost a guesser little, and zxcvbn counts them as if anything could be there.
    forms = {password[:_ESTIMATED], password.translate(_SEPARATORS)[:_ESTIMATED]} - {""}
    return min(int(zxcvbn(form, user_inputs=known)["guesses"]) for form in forms)


@functools.cache
def common() -> frozenset[str]:
    """Return the passwords that are tried first, in lower case, of those long enough to matter."""
    lists: dict[str, list[str]] = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return frozenset(word for word in (*lists["passwords"], *_bangla()) if len(word) >= SHORTEST)


@functools.cache
def _bangla() -> tuple[str, ...]:
    listed = files("write_side.identity.credentials").joinpath("bangla_passwords.txt")
    return tuple(listed.read_text(encoding="utf-8").split())


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
