"""Which passwords are good enough, and how they are kept: argon2id, never in clear, never cut short."""

import functools
import threading
from importlib import import_module
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import WeakPassword

SHORTEST, LONGEST = 8, 128
NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$SwtHSRWDAvE+W8xau2qL/A$OgTLIErnYG1hfY3TMw5cUDTcNA8tbrjpLWoS4TPn9wA"
)  # an account that does not exist is checked against this, so that it takes as long
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
SLOTS = threading.BoundedSemaphore(2)  # 19 MiB and a core each
_BANGLA = frozenset((
    "amarbangla amarbanglades amarbangladesh amarcountry amardesh amarjaan amarjibon amarshona amarsonar "
    "amarsonarbangla amisundor amitomake amitomakebhalobashi ashulia123 assalamualaikum ballobasha bangladesh "
    "bangladesh1 bangladesh12 bangladesh123 bangladesh1971 bangladesh71 bangladeshi bangla123 banglabazar "
    "banglalink banglalink123 barisal123 bhalobasha bhalobashi bhalobasi bikash123 bismillah bismillah1 "
    "bismillah123 bismillahirrahmanirrahim bissmillah bogura123 boishakh bondhu123 chattogram chittagong "
    "chittagong123 coxsbazar cumilla123 desh1971 dhaka1234 dhaka12345 dhakabangladesh dhakacity dhonnobad "
    "dokan123 dokan1234 dokandar ekushey21 ekusheyfebruary faridpur123 gazipur123 grameenphone grameenphone123 "
    "gulshan123 ilovebangladesh inshallah inshallah123 jessore123 jibon1234 joybangla joybangla123 "
    "joybangla1971 kemonacho kemonachen khoda123 khodahafez khulna123 kushtia123 lailaha1 lailahaillallah "
    "mashallah mashallah123 masterdapurna mirpur123 mirpur10 mohammad123 mohammadpur mukti1971 muktijoddha "
    "muktijuddho mymensingh mymensingh123 narayanganj noakhali123 pakhi1234 padmasetu padmabridge prothomalo "
    "rajshahi rajshahi123 rangpur123 robiaxiata rongdhonu sabbir123 shadhinota shadhinbangla shakib75 "
    "shakibalhasan shapla123 shonarbangla sonarbangla sonarbangla123 sonargaon sundarban sundarban123 sundarbans "
    "sylhet123 sylhet1234 tamim1234 tangail123 teletalk123 tigers123 tomarjonno tomakechai tumiamar tumiamar123 "
    "uttara123 victoryday16 allah1234 allahuakbar allahuakbar123 allahisone alhamdulillah alhamdulillah1 "
    "alhamdulillah123 subhanallah subhanallah1 subhanallah123 muhammad123 muhammadsaw rasulullah"
).split())  # fmt: skip


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
    return frozenset(word for word in lists["passwords"] if len(word) >= SHORTEST) | _BANGLA


def hashed(password: str) -> str:
    """Return the argon2id hash (m=19456 KiB, t=2, p=1) with a salt of its own."""
    with SLOTS:
        return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Tell whether the password is the one kept; takes as long where none is. Call it holding one of the SLOTS."""
    try:
        return _HASHER.verify(kept or NOBODY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def renewed(kept: str, password: str) -> str | None:
    """Return the hash of the same password with today's parameters, None where `kept` has those already."""
    return hashed(password) if _HASHER.check_needs_rehash(kept) else None
