"""Opening accounts over the API: an owner and a shop at once. Operators are made by staff.py, never here."""

import uuid
from dataclasses import dataclass, replace

from shared.errors import IdempotencyKeyReused
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.texts import Language
from write_side.identity.aggregate import RegisterOwner, register_owner
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.profile_handlers import business_stream, user_stream

EMAIL = "email"
REGISTRATION = "registration"


@dataclass(frozen=True)
class Applicant:
    """Who wants an account: `email` in the form that emails.py gives it, texts as forms.py lets them pass.

    Raises WeakPassword for a password that is not good enough for this person.
    """

    email: str
    password: str
    first_name: str
    business_name: str
    business_type: str
    language: Language = "bn"
    is_demo: bool = False

    def __post_init__(self) -> None:
        """Insist on a good password."""
        passwords.check(self.password, email=self.email, first_name=self.first_name)


@dataclass(frozen=True)
class RepeatKeys:
    """How a repeated registration is known again: by its Idempotency-Key, and by key and content together."""

    key: bytes
    content: bytes

    @classmethod
    def of(cls, store: EventStore, key: str, applicant: Applicant) -> "RepeatKeys":
        """Return the keyed hashes; the password is left out of them, it is compared with the one kept."""
        said = (
            key,
            applicant.email,
            applicant.first_name,
            applicant.business_name,
            applicant.business_type,
            applicant.language,
        )
        lookup = store.master.lookup_key
        return cls(lookup(REGISTRATION, None, key), lookup(REGISTRATION, None, "\x00".join(said)))


def register(
    store: EventStore, applicant: Applicant, meta: Metadata, idempotency_key: str | None = None
) -> tuple[Account, int | None]:
    """Open an account with its shop; returns it and the position.

    Raises EmailTaken. The same registration under the same `idempotency_key` again returns the account
    it opened, without a position; anything else under that key raises IdempotencyKeyReused.
    """
    account = _new_account(store, applicant)
    repeat = RepeatKeys.of(store, idempotency_key, applicant) if idempotency_key else None

    def decide(unit: UnitOfWork) -> int:
        earlier = _earlier(unit, repeat) if repeat else None
        if earlier is None:
            _open(unit, account, applicant)
            for key in (repeat.key, repeat.content) if repeat else ():
                unit.claim(REGISTRATION, key, account.user_id, everywhere=True)
        return earlier or account.user_id

    meta = replace(meta, actor=user_stream(account.user_id), command_id=str(uuid.uuid4()))
    outcome = store.execute(account.business_id, meta, decide)
    if outcome.result == account.user_id:
        return account, outcome.position
    return _same_person(store, outcome.result, applicant), None


def email_owner(unit: UnitOfWork, key: bytes) -> int | None:
    """Return the user id that an e-mail belongs to."""
    return unit.find(EMAIL, [key], everywhere=True).get(key)


def claim_email(unit: UnitOfWork, account: Account) -> None:
    """Make the e-mail this account's; whoever claims the same at the same time decides again and is refused."""
    unit.claim(EMAIL, account.email_key, account.user_id, everywhere=True)
    accounts.open_account(unit, account)


def _new_account(store: EventStore, applicant: Applicant) -> Account:
    key = accounts.email_key(store, applicant.email)
    kept = passwords.hashed(applicant.password)
    user_id, business_id = store.allot(None, "user"), store.allot(None, "business")
    return Account(user_id, business_id, key, applicant.language, is_staff=False, is_active=True, password_hash=kept)


def _open(unit: UnitOfWork, account: Account, applicant: Applicant) -> None:
    stream = user_stream(account.user_id)
    owner = email_owner(unit, account.email_key)
    person = {"email": applicant.email, "first_name": applicant.first_name}
    sealed = "" if owner else unit.vault.seal(stream, person)
    business_id = account.business_id or 0
    command = RegisterOwner(
        account.user_id,
        business_id,
        accounts.key_text(account.email_key),
        sealed,
        applicant.language,
        applicant.business_name,
        applicant.business_type,
        applicant.is_demo,
    )
    user_registered, business_registered = register_owner(command, owner)
    claim_email(unit, account)
    unit.append(stream, 0, user_registered)
    unit.append(business_stream(business_id), 0, business_registered)


def _earlier(unit: UnitOfWork, repeat: RepeatKeys) -> int | None:
    found = unit.find(REGISTRATION, [repeat.key, repeat.content], everywhere=True)
    if repeat.key in found and repeat.content not in found:
        raise IdempotencyKeyReused
    return found.get(repeat.content)


def _same_person(store: EventStore, user_id: int, applicant: Applicant) -> Account:
    account = accounts.by_id(store, user_id)
    with passwords.SLOTS:
        if account is None or not passwords.matches(applicant.password, account.password_hash):
            raise IdempotencyKeyReused
    return account
