"""What happens to owners, their businesses and their sessions.

Fields named `sealed` hold personal data as the vault wrote it under the subject's own key: base64 text that opens to a
JSON object, or to nothing once that key is destroyed.
"""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import AuditAction, Event


class UserRegistered(Event, frozen=True):
    """An owner signed up. `sealed` opens to `{email, first_name}` under `user-{user_id}`."""

    topic: ClassVar[str] = "identity.UserRegistered"
    audit: ClassVar[AuditAction | None] = AuditAction("register", "user", "user_id")
    user_id: int
    email_key: str
    sealed: str
    language: str


class BusinessRegistered(Event, frozen=True):
    """A shop was opened by its owner."""

    topic: ClassVar[str] = "identity.BusinessRegistered"
    business_id: int
    user_id: int
    name: str
    type: str
    is_demo: bool = False


class StaffCreated(Event, frozen=True):
    """An operator's account was made from the command line. `sealed` opens to `{email, first_name}`."""

    topic: ClassVar[str] = "identity.StaffCreated"
    audit: ClassVar[AuditAction | None] = AuditAction("staff_create", "user", "user_id")
    user_id: int
    email_key: str
    sealed: str
    language: str


class UserProfileChanged(Event, frozen=True):
    """The owner changed the own name (`sealed` opens to `{first_name}`) or language; null means unchanged."""

    topic: ClassVar[str] = "identity.UserProfileChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("profile_change", "user", "user_id")
    user_id: int
    sealed: str | None = None
    language: str | None = None


class BusinessProfileChanged(Event, frozen=True):
    """The shop's profile changed; null means unchanged, "" means cleared.

    `sealed` opens to `{phone_number}` under `user-{user_id}`.
    """

    topic: ClassVar[str] = "identity.BusinessProfileChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("profile_change", "business", "business_id")
    business_id: int
    user_id: int
    name: str | None = None
    type: str | None = None
    city: str | None = None
    description: str | None = None
    sealed: str | None = None


class BusinessClosed(Event, frozen=True):
    """The shop is not used any more and its account logs in no more; `reason`: `demo_reset`."""

    topic: ClassVar[str] = "identity.BusinessClosed"
    audit: ClassVar[AuditAction | None] = AuditAction("business_close", "business", "business_id")
    business_id: int
    user_id: int
    reason: str


class BusinessErasureRequested(Event, frozen=True):
    """The owner asked for the shop to be erased; it is, after `erased_after`, unless the owner changes their mind."""

    topic: ClassVar[str] = "identity.BusinessErasureRequested"
    audit: ClassVar[AuditAction | None] = AuditAction("business_erasure_request", "business", "business_id")
    business_id: int
    user_id: int
    erased_after: dt.datetime


class BusinessErasureCancelled(Event, frozen=True):
    """The owner keeps the shop that was to be erased."""

    topic: ClassVar[str] = "identity.BusinessErasureCancelled"
    audit: ClassVar[AuditAction | None] = AuditAction("business_erasure_cancel", "business", "business_id")
    business_id: int
    user_id: int


class LoggedIn(Event, frozen=True):
    """A session family began with the right password."""

    topic: ClassVar[str] = "identity.LoggedIn"
    audit: ClassVar[AuditAction | None] = AuditAction("login", "session", "family")
    user_id: int
    family: str


class LoggedOut(Event, frozen=True):
    """The user logged out: a session family ended."""

    topic: ClassVar[str] = "identity.LoggedOut"
    audit: ClassVar[AuditAction | None] = AuditAction("logout", "session", "family")
    user_id: int
    family: str


class SessionsRevoked(Event, frozen=True):
    """Session families ended for `reason`: `reuse`, `logout_all`, `password_changed`, `password_reset` or `closed`."""

    topic: ClassVar[str] = "identity.SessionsRevoked"
    audit: ClassVar[AuditAction | None] = AuditAction("sessions_revoke", "user", "user_id")
    user_id: int
    families: list[str]
    reason: str


class PasswordChanged(Event, frozen=True):
    """The password was replaced by someone who knew the old one (`how` = `change`) or held a code (`reset`)."""

    topic: ClassVar[str] = "identity.PasswordChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("password_change", "user", "user_id")
    user_id: int
    how: str


class PasswordResetRequested(Event, frozen=True):
    """A one-use code was made for this account."""

    topic: ClassVar[str] = "identity.PasswordResetRequested"
    audit: ClassVar[AuditAction | None] = AuditAction("password_reset_request", "user", "user_id")
    user_id: int


class LoginsRefused(Event, frozen=True):
    """How many logins one source was refused within one minute; `source` is a keyed hash of its address."""

    topic: ClassVar[str] = "identity.LoginsRefused"
    audit: ClassVar[AuditAction | None] = AuditAction("login", "source", "source", "refused", by_system=True)
    minute: str
    source: str
    count: int
