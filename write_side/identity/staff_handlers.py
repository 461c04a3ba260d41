"""Command handler that creates operators, from the command line only: no request can create one."""

import uuid

from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http import emails
from shared.texts import Language
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.passwords import Person
from write_side.identity.profile_handlers import user_of
from write_side.identity.registration_handlers import claim_email, email_owner
from write_side.identity.user_aggregate import CreateStaff, User, decide


def create_staff(store: EventStore, email: str, first_name: str, password: str, language: Language = "bn") -> int:
    """Open an operator's account and return its user id.

    Raises emails.NotAnEmail, WeakPassword, EmailTaken.
    """
    address = emails.address(email)
    passwords.check(password, Person(address, first_name))
    stored, key = passwords.hashed(password), accounts.email_key(store, address)
    ctx = CommandContext(store, None, Metadata(actor="operator", command_id=str(uuid.uuid4())))
    account = Account(ctx.new_id("user"), None, key, language, is_staff=True, is_active=True, password_hash=stored)
    stream = user_of(account.user_id)

    def create(unit: UnitOfWork) -> int:
        owner = email_owner(unit, key)
        sealed = "" if owner else unit.vault.seal(stream.subject, {"email": address, "first_name": first_name})
        events = decide(CreateStaff(account.user_id, accounts.key_text(key), sealed, language, owner), User())
        claim_email(unit, account)
        unit.append(stream.name(None), 0, *events)
        return account.user_id

    return ctx.execute(create).data
