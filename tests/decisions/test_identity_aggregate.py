"""What may happen to accounts and shops: given events, when a command, then events or a refusal."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.events.identity import (
    BusinessClosed,
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
    PasswordChanged,
    PasswordResetRequested,
    SessionsRevoked,
    StaffCreated,
    UserProfileChanged,
    UserRegistered,
)
from shared.domain.refusals.admin import NotADemo
from shared.domain.refusals.identity import EmailTaken
from shared.eventstore.event import Event
from shared.eventstore.system_events import BusinessErased
from write_side.identity import business_aggregate, user_aggregate
from write_side.identity.business_aggregate import (
    Business,
    CancelErasure,
    ChangeBusinessProfile,
    CloseDemo,
    EraseBusiness,
    RegisterBusiness,
    RequestErasure,
)
from write_side.identity.user_aggregate import (
    ChangeUserProfile,
    CreateStaff,
    RegisterUser,
    ReplacePassword,
    RequestPasswordReset,
    RevokeSessions,
    User,
)

REGISTER = RegisterUser(12, "a2V5", "sealed", "bn")
ALI = {"email": "owner@shop.bd", "first_name": "Ali"}


def user(*history: tuple[Event, dict[str, Any]]) -> User:
    state = User()
    for event, private in history:
        state = user_aggregate.evolve(state, event, private)
    return state


def business(*history: tuple[Event, dict[str, Any]]) -> Business:
    state = Business()
    for event, private in history:
        state = business_aggregate.evolve(state, event, private)
    return state


def ali() -> User:
    return user((UserRegistered(12, "a2V5", "sealed", "bn"), ALI))


def tea_shop() -> Business:
    return business((BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant"), {}))


def test_registering_opens_an_account_and_its_shop() -> None:
    assert user_aggregate.decide(REGISTER, User()) == [UserRegistered(12, "a2V5", "sealed", "bn")]
    opened = business_aggregate.decide(RegisterBusiness(7, 12, "Ali's Tea Shop", "restaurant"), Business())
    assert opened == [BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant")]


def test_an_e_mail_that_has_an_owner_is_refused() -> None:
    with pytest.raises(EmailTaken):
        user_aggregate.decide(replace(REGISTER, email_owner=3), User())
    with pytest.raises(EmailTaken):
        user_aggregate.decide(CreateStaff(13, "a2V5", "sealed", "en", email_owner=3), User())


def test_an_operator_is_created_without_a_shop() -> None:
    (event,) = user_aggregate.decide(CreateStaff(13, "a2V5", "sealed", "en"), User())
    assert event == StaffCreated(13, "a2V5", "sealed", "en")
    assert user((event, ALI)) == User(user_id=13, email="owner@shop.bd", first_name="Ali", language="en", is_staff=True)


def test_an_account_is_folded_from_its_events() -> None:
    renamed = user(
        (UserRegistered(12, "a2V5", "sealed", "bn"), ALI),
        (UserProfileChanged(12, "sealed"), {"first_name": "আলী"}),
        (UserProfileChanged(12, language="en"), {}),
        (PasswordResetRequested(12), {}),
    )
    assert renamed == User(user_id=12, email="owner@shop.bd", first_name="আলী", language="en")


def test_a_forgotten_person_has_neither_e_mail_nor_name() -> None:
    forgotten = user((UserRegistered(12, "a2V5", "sealed", "bn"), {}), (UserProfileChanged(12, "sealed"), {}))
    assert (forgotten.email, forgotten.first_name, forgotten.user_id) == (None, None, 12)


@pytest.mark.parametrize(
    ("command", "events"),
    [
        (ChangeUserProfile("Karim", "en", "new"), [UserProfileChanged(12, "new", "en")]),
        (ChangeUserProfile("Karim", sealed="new"), [UserProfileChanged(12, "new")]),
        (ChangeUserProfile("Ali", "en", "new"), [UserProfileChanged(12, language="en")]),
        (ChangeUserProfile("Ali", "bn", "new"), []),
    ],
)
def test_an_account_records_only_what_changes(command: ChangeUserProfile, events: list[Event]) -> None:
    assert user_aggregate.decide(command, ali()) == events


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (ChangeBusinessProfile(name="Ali & Sons"), BusinessProfileChanged(7, 12, name="Ali & Sons")),
        (
            ChangeBusinessProfile("Ali's Tea Shop", "tea_stall", "Dhaka", phone_number="01711", sealed="new"),
            BusinessProfileChanged(7, 12, type="tea_stall", city="Dhaka", sealed="new"),
        ),
    ],
)
def test_a_shop_records_only_what_changes(command: ChangeBusinessProfile, event: Event) -> None:
    assert business_aggregate.decide(command, tea_shop()) == [event]


def test_telling_a_shop_what_it_knows_records_nothing() -> None:
    known = business(
        (BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant"), {}),
        (BusinessProfileChanged(7, 12, city="Dhaka", sealed="sealed"), {"phone_number": "01711"}),
    )
    command = ChangeBusinessProfile("Ali's Tea Shop", "restaurant", "Dhaka", "", "01711", "new")
    assert business_aggregate.decide(command, known) == []


def test_an_empty_text_clears_a_field_of_the_shop_once() -> None:
    known = replace(tea_shop(), city="Dhaka", phone_number="01711", description="Tea")
    command = ChangeBusinessProfile(city="", phone_number="", description="", sealed="empty")
    (event,) = business_aggregate.decide(command, known)
    assert event == BusinessProfileChanged(7, 12, city="", description="", sealed="empty")
    cleared = business_aggregate.evolve(known, event, {"phone_number": ""})
    assert (cleared.city, cleared.phone_number, cleared.description) == (None, None, None)
    assert business_aggregate.decide(command, cleared) == []


@pytest.mark.parametrize(("how", "reason"), [("change", "password_changed"), ("reset", "password_reset")])
def test_another_password_ends_the_sessions_the_old_one_began(how: str, reason: str) -> None:
    assert user_aggregate.decide(ReplacePassword(12, how, ["f1", "f2"]), User()) == [
        PasswordChanged(12, how),
        SessionsRevoked(12, ["f1", "f2"], reason),
    ]


def test_no_session_left_is_nothing_to_record() -> None:
    assert user_aggregate.decide(RevokeSessions(12, [], "logout_all"), User()) == []
    assert user_aggregate.decide(ReplacePassword(12, "change", []), User()) == [PasswordChanged(12, "change")]


def test_a_demo_shop_ends_once_and_no_other_shop_ends() -> None:
    opened = business_aggregate.evolve(Business(), BusinessRegistered(7, 12, "Demo", "retail", is_demo=True), {})
    (closed,) = business_aggregate.decide(CloseDemo(), opened)
    assert closed == BusinessClosed(7, 12, "demo_reset")
    assert business_aggregate.decide(CloseDemo(), business_aggregate.evolve(opened, closed, {})) == []
    with pytest.raises(NotADemo):
        business_aggregate.decide(CloseDemo(), tea_shop())


def test_an_erasure_is_requested_once_and_cancelled_once() -> None:
    shop, after = tea_shop(), dt.datetime(2025, 11, 10, 10, 30, tzinfo=dt.UTC)
    assert business_aggregate.decide(CancelErasure(), shop) == []
    (requested,) = business_aggregate.decide(RequestErasure(after), shop)
    assert requested == BusinessErasureRequested(shop.business_id, shop.user_id, after)
    asked = business_aggregate.evolve(shop, requested, {})
    assert business_aggregate.decide(RequestErasure(after + dt.timedelta(days=1)), asked) == []
    (cancelled,) = business_aggregate.decide(CancelErasure(), asked)
    assert cancelled == BusinessErasureCancelled(shop.business_id, shop.user_id)
    kept = business_aggregate.evolve(asked, cancelled, {})
    assert business_aggregate.decide(EraseBusiness("key", after + dt.timedelta(days=1)), kept) == []
    assert business_aggregate.decide(RequestErasure(after), kept) == [requested]


def test_a_shop_is_erased_once_at_once_or_after_the_moment_that_was_asked_for() -> None:
    shop, after = tea_shop(), dt.datetime(2025, 11, 10, 10, 30, tzinfo=dt.UTC)
    erased = BusinessErased(shop.business_id, shop.user_id, "key")
    assert business_aggregate.decide(EraseBusiness("key"), shop) == [erased]
    assert business_aggregate.decide(EraseBusiness("key", after), shop) == []
    asked = business_aggregate.evolve(shop, BusinessErasureRequested(shop.business_id, shop.user_id, after), {})
    assert business_aggregate.decide(EraseBusiness("key", after - dt.timedelta(seconds=1)), asked) == []
    assert business_aggregate.decide(EraseBusiness("key", after), asked) == [erased]
    gone = business_aggregate.evolve(asked, erased, {})
    for command in (EraseBusiness("key"), EraseBusiness("key", after), RequestErasure(after), CancelErasure()):
        assert business_aggregate.decide(command, gone) == []


def test_a_requested_reset_is_recorded() -> None:
    assert user_aggregate.decide(RequestPasswordReset(12), User()) == [PasswordResetRequested(12)]
