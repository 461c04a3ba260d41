"""What may happen to accounts and shops: given events, when a command, then events or a refusal."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.events.base import Event
from shared.domain.events.identity import (
    BusinessClosed,
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
from write_side.identity.aggregate import (
    Business,
    ChangeBusinessProfile,
    ChangeUserProfile,
    CreateStaff,
    RegisterOwner,
    ReplacePassword,
    RevokeSessions,
    User,
    change_business_profile,
    change_user_profile,
    close_demo,
    create_staff,
    evolve_business,
    evolve_user,
    register_owner,
    replace_password,
    revoke_sessions,
)

REGISTER = RegisterOwner(12, 7, "a2V5", "sealed", "bn", "Ali's Tea Shop", "restaurant")
ALI = {"email": "owner@shop.bd", "first_name": "Ali"}


def user(*history: tuple[Event, dict[str, Any]]) -> User:
    state = User()
    for event, private in history:
        state = evolve_user(state, event, private)
    return state


def business(*history: tuple[Event, dict[str, Any]]) -> Business:
    state = Business()
    for event, private in history:
        state = evolve_business(state, event, private)
    return state


def ali() -> User:
    return user((UserRegistered(12, "a2V5", "sealed", "bn"), ALI))


def tea_shop() -> Business:
    return business((BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant"), {}))


def test_registering_opens_an_account_and_its_shop() -> None:
    assert register_owner(REGISTER, email_owner=None) == (
        UserRegistered(12, "a2V5", "sealed", "bn"),
        BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant"),
    )


def test_an_e_mail_that_has_an_owner_is_refused() -> None:
    with pytest.raises(EmailTaken):
        register_owner(REGISTER, email_owner=3)
    with pytest.raises(EmailTaken):
        create_staff(CreateStaff(13, "a2V5", "sealed", "en"), email_owner=3)


def test_an_operator_is_created_without_a_shop() -> None:
    event = create_staff(CreateStaff(13, "a2V5", "sealed", "en"), email_owner=None)
    assert event == StaffCreated(13, "a2V5", "sealed", "en")
    assert user((event, ALI)) == User(
        version=1, user_id=13, email="owner@shop.bd", first_name="Ali", language="en", is_staff=True
    )


def test_an_account_is_folded_from_its_events() -> None:
    renamed = user(
        (UserRegistered(12, "a2V5", "sealed", "bn"), ALI),
        (UserProfileChanged(12, "sealed"), {"first_name": "আলী"}),
        (UserProfileChanged(12, language="en"), {}),
        (PasswordResetRequested(12), {}),
    )
    assert renamed == User(version=4, user_id=12, email="owner@shop.bd", first_name="আলী", language="en")


def test_a_forgotten_person_has_neither_e_mail_nor_name() -> None:
    forgotten = user((UserRegistered(12, "a2V5", "sealed", "bn"), {}), (UserProfileChanged(12, "sealed"), {}))
    assert (forgotten.email, forgotten.first_name, forgotten.user_id) == (None, None, 12)


@pytest.mark.parametrize(
    ("wish", "events"),
    [
        (ChangeUserProfile("Karim", "en", "new"), [UserProfileChanged(12, "new", "en")]),
        (ChangeUserProfile("Karim", sealed="new"), [UserProfileChanged(12, "new")]),
        (ChangeUserProfile("Ali", "en", "new"), [UserProfileChanged(12, language="en")]),
        (ChangeUserProfile("Ali", "bn", "new"), []),
    ],
)
def test_an_account_records_only_what_changes(wish: ChangeUserProfile, events: list[Event]) -> None:
    assert change_user_profile(wish, ali()) == events


@pytest.mark.parametrize(
    ("wish", "event"),
    [
        (ChangeBusinessProfile(name="Ali & Sons"), BusinessProfileChanged(7, 12, name="Ali & Sons")),
        (
            ChangeBusinessProfile("Ali's Tea Shop", "tea_stall", "Dhaka", phone_number="01711", sealed="new"),
            BusinessProfileChanged(7, 12, type="tea_stall", city="Dhaka", sealed="new"),
        ),
    ],
)
def test_a_shop_records_only_what_changes(wish: ChangeBusinessProfile, event: Event) -> None:
    assert change_business_profile(wish, tea_shop()) == [event]


def test_telling_a_shop_what_it_knows_records_nothing() -> None:
    known = business(
        (BusinessRegistered(7, 12, "Ali's Tea Shop", "restaurant"), {}),
        (BusinessProfileChanged(7, 12, city="Dhaka", sealed="sealed"), {"phone_number": "01711"}),
    )
    wish = ChangeBusinessProfile("Ali's Tea Shop", "restaurant", "Dhaka", "", "01711", "new")
    assert change_business_profile(wish, known) == []


def test_an_empty_text_clears_a_field_of_the_shop_once() -> None:
    known = replace(tea_shop(), city="Dhaka", phone_number="01711", description="Tea")
    wish = ChangeBusinessProfile(city="", phone_number="", description="", sealed="empty")
    (event,) = change_business_profile(wish, known)
    assert event == BusinessProfileChanged(7, 12, city="", description="", sealed="empty")
    cleared = evolve_business(known, event, {"phone_number": ""})
    assert (cleared.city, cleared.phone_number, cleared.description) == (None, None, None)
    assert change_business_profile(wish, cleared) == []


@pytest.mark.parametrize(("how", "reason"), [("change", "password_changed"), ("reset", "password_reset")])
def test_another_password_ends_the_sessions_the_old_one_began(how: str, reason: str) -> None:
    assert replace_password(ReplacePassword(12, how, ["f1", "f2"])) == [
        PasswordChanged(12, how),
        SessionsRevoked(12, ["f1", "f2"], reason),
    ]


def test_no_session_left_is_nothing_to_record() -> None:
    assert revoke_sessions(RevokeSessions(12, [], "logout_all")) == []
    assert replace_password(ReplacePassword(12, "change", [])) == [PasswordChanged(12, "change")]


def test_a_demo_shop_ends_once_and_no_other_shop_ends() -> None:
    opened = evolve_business(Business(), BusinessRegistered(7, 12, "Demo", "retail", is_demo=True), {})
    assert close_demo(opened) == [BusinessClosed(7, 12, "demo_reset")]
    assert close_demo(evolve_business(opened, close_demo(opened)[0], {})) == []
    with pytest.raises(NotADemo):
        close_demo(evolve_business(Business(), BusinessRegistered(7, 12, "Ali's Tea Shop", "retail"), {}))
