"""Operators: made from the command line alone, so that no request can make one; nobody is one by default."""

import uuid

from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.texts import Language
from write_side.identity.aggregate import CreateStaff
from write_side.identity.aggregate import create_staff as decide_staff
from write_side.identity.credentials import accounts, emails, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.profile_handlers import user_stream
from write_side.identity.registration_handlers import claim_email, email_owner


def create_staff(store: EventStore, email: str, first_name: str, password: str, language: Language = "bn") -> int:
    """Open an operator's account and return its user id; recorded as StaffCreated.

    Raises emails.NotAnEmail, WeakPassword, EmailTaken.
    """
    address = emails.address(email)
    passwords.check(password, email=address, first_name=first_name)
    kept, key = passwords.hashed(password), accounts.email_key(store, address)
    account = Account(store.allot(None, "user"), None, key, language, is_staff=True, is_active=True, password_hash=kept)
    stream = user_stream(account.user_id)

    def decide(unit: UnitOfWork) -> int:
        owner = email_owner(unit, key)
        sealed = "" if owner else unit.vault.seal(stream, {"email": address, "first_name": first_name})
        event = decide_staff(CreateStaff(account.user_id, accounts.key_text(key), sealed, language), owner)
        claim_email(unit, account)
        unit.append(stream, 0, event)
        return account.user_id

    return store.execute(None, Metadata(actor="operator", command_id=str(uuid.uuid4())), decide).result
