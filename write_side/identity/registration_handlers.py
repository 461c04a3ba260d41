"""Command handler of registrations: an owner's account and its shop. Operators are created by staff_handlers.py."""

import uuid
from dataclasses import dataclass, replace

from shared.errors import IdempotencyKeyReused
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import EventStore, UnitOfWork
from shared.texts import Language
from write_side.identity import business_aggregate, user_aggregate
from write_side.identity.business_aggregate import Business, RegisterBusiness
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.passwords import Person
from write_side.identity.profile_handlers import business_of, user_of, user_stream
from write_side.identity.user_aggregate import RegisterUser, User

EMAIL = "email"
REGISTRATION = "registration"


@dataclass(frozen=True)
class Applicant:
    """A new owner: `email` in the form of emails.py, texts as validated by schemas.py.

    Raises WeakPassword for a password that is too weak for this person.
    """

    email: str
    password: str
    first_name: str
    business_name: str
    business_type: str
    language: Language = "bn"
    is_demo: bool = False

    def __post_init__(self) -> None:
        """Check the password."""
        passwords.check(self.password, Person(self.email, self.first_name, self.business_name))


@dataclass(frozen=True)
class RepeatKeys:
    """The keys that identify a repeated registration: its Idempotency-Key, and key and content together."""

    key: bytes
    content: bytes

    @classmethod
    def of(cls, store: EventStore, key: str, applicant: Applicant) -> "RepeatKeys":
        """Return the keyed hashes, without the password, which is compared with the stored hash."""
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


def register(ctx: CommandContext, applicant: Applicant, idempotency_key: str | None = None) -> Result[Account]:
    """Open an account with its shop.

    Raises EmailTaken. The same registration under the same `idempotency_key` again returns the account it opened,
    without a position; another registration under that key raises IdempotencyKeyReused.
    """
    store = ctx.store
    account = _new_account(store, applicant)
    repeat = RepeatKeys.of(store, idempotency_key, applicant) if idempotency_key else None

    def open_once(unit: UnitOfWork) -> int:
        earlier = _earlier(unit, repeat) if repeat else None
        if earlier is None:
            _open(unit, account, applicant)
            for key in (repeat.key, repeat.content) if repeat else ():
                unit.claim(REGISTRATION, key, account.user_id, everywhere=True)
        return earlier or account.user_id

    meta = replace(ctx.meta, actor=user_stream(account.user_id), command_id=str(uuid.uuid4()))
    result = CommandContext(store, account.business_id, meta).execute(open_once)
    if result.data == account.user_id:
        return result.map(lambda _: account)
    return Result(_same_person(store, result.data, applicant), None, changed=False)


def email_owner(unit: UnitOfWork, key: bytes) -> int | None:
    """Return the user id that an e-mail belongs to."""
    return unit.find(EMAIL, [key], everywhere=True).get(key)


def claim_email(unit: UnitOfWork, account: Account) -> None:
    """Claim the e-mail for this account; a concurrent command with the same e-mail is retried and refused."""
    unit.claim(EMAIL, account.email_key, account.user_id, everywhere=True)
    accounts.open_account(unit, account)


def _new_account(store: EventStore, applicant: Applicant) -> Account:
    key = accounts.email_key(store, applicant.email)
    kept = passwords.hashed(applicant.password)
    user_id, business_id = store.allot(None, "user"), store.allot(None, "business")
    return Account(user_id, business_id, key, applicant.language, is_staff=False, is_active=True, password_hash=kept)


def _open(unit: UnitOfWork, account: Account, applicant: Applicant) -> None:
    stream, business_id = user_of(account.user_id), account.business_id or 0
    owner = email_owner(unit, account.email_key)
    person = {"email": applicant.email, "first_name": applicant.first_name}
    sealed = "" if owner else unit.vault.seal(stream.subject, person)
    user = RegisterUser(account.user_id, accounts.key_text(account.email_key), sealed, applicant.language, owner)
    business = RegisterBusiness(
        business_id, account.user_id, applicant.business_name, applicant.business_type, applicant.is_demo
    )
    user_events = user_aggregate.decide(user, User())
    claim_email(unit, account)
    unit.append(stream.name(None), 0, *user_events)
    shop = business_of(business_id, account.user_id)
    unit.append(shop.name(None), 0, *business_aggregate.decide(business, Business()))


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
