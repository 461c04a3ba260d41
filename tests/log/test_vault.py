import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.vault import MasterKey, SubjectKeys
from tests.support.application import SECRET
from tests.support.log_facts import connected, rows

ALI = {"name": "আলী", "phone": "+8801712345678"}
# What release 0.1.0 wrote under SECRET: a subject's wrapped key, and fields sealed with it.
WRAPPED = bytes.fromhex(
    "8c2b43a8711e69f91cdd60f2cece80b74594dd05f5b611ecb863b3a455023cb31908e908a91a21d30d48695e70c6c3688bc49c9a3b4c6d247b3f27dc"
)
SEALED = "mBg7D7rZmv8mdDt9k+b5e++fieQeRAir9VWGu1FkqLN67P0cJk3n4twlIc+AxoMvoDVhq78E8NWZ29XUox+i7luhneid3x8lsw=="


def sealed(store: EventStore, subject: str, fields: dict[str, Any]) -> str:
    return store.execute(7, Metadata(), lambda unit: unit.vault.seal(subject, fields)).result


def opened(store: EventStore, subject: str, text: str) -> dict[str, Any] | None:
    return store.execute(7, Metadata(), lambda unit: unit.vault.open(subject, text)).result


def test_sealed_data_opens_for_its_subject_only(store: EventStore) -> None:
    text = sealed(store, "customer-7-33", ALI)
    sealed(store, "customer-7-34", ALI)
    assert opened(store, "customer-7-33", text) == ALI
    assert opened(store, "customer-7-34", text) is None  # has a key, but another
    assert opened(store, "customer-7-35", text) is None  # has none
    assert "8801712345678" not in text
    assert sealed(store, "customer-7-33", ALI) != text


def test_the_same_key_does_not_open_for_another_subject() -> None:
    keys = SubjectKeys({"customer-7-33": bytes(32), "customer-7-34": bytes(32)})
    assert keys.open("customer-7-33", keys.seal("customer-7-33", ALI)) == ALI
    assert keys.open("customer-7-34", keys.seal("customer-7-33", ALI)) is None


def test_a_destroyed_key_forgets_its_subject_for_good(store: EventStore, database_url: str) -> None:
    text = sealed(store, "customer-7-33", ALI)
    with connected(database_url) as owner:
        owner.execute("DELETE FROM vault.keys WHERE subject = 'customer-7-33'")
    assert opened(store, "customer-7-33", text) is None
    newer = sealed(store, "customer-7-33", ALI)  # the same id again gets another key
    assert opened(store, "customer-7-33", text) is None
    assert opened(store, "customer-7-33", newer) == ALI


def test_another_master_key_opens_nothing(store: EventStore, database_url: str) -> None:
    text = sealed(store, "customer-7-33", ALI)
    stranger = EventStore(database_url, MasterKey(SECRET + "!"), pool_size=1)
    with pytest.raises(InvalidTag):
        opened(stranger, "customer-7-33", text)
    stranger.close()


def test_a_key_moved_to_another_subject_opens_nothing(store: EventStore, database_url: str) -> None:
    text = sealed(store, "customer-7-33", ALI)
    with connected(database_url) as owner:
        owner.execute("UPDATE vault.keys SET subject = 'customer-8-33'")
    with pytest.raises(InvalidTag):
        opened(store, "customer-8-33", text)


def test_keys_are_kept_wrapped(store: EventStore, database_url: str) -> None:
    sealed(store, "customer-7-33", ALI)
    ((wrapped,),) = rows(database_url, "SELECT wrapped FROM vault.keys")
    key = store.master.unwrap("customer-7-33", bytes(wrapped))
    assert len(key) == 32
    assert key not in bytes(wrapped)


def test_two_commands_that_meet_a_subject_first_agree_on_its_key(store: EventStore) -> None:
    both_began = threading.Barrier(2)

    def seal(number: int) -> str:
        def decide(unit: UnitOfWork) -> str:
            both_began.wait(10)
            return unit.vault.seal("customer-7-33", {"number": number})

        return store.execute(number, Metadata(), decide).result

    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(seal, (1, 2)))
    assert [opened(store, "customer-7-33", text) for text in texts] == [{"number": 1}, {"number": 2}]


def test_many_subjects_are_sealed_at_once_and_each_keeps_its_key(store: EventStore) -> None:
    subjects = [f"customer-7-{n}" for n in range(100)]

    def seal(unit: UnitOfWork) -> list[str]:
        keys = unit.vault.keys(subjects, create=True)
        return [keys.seal(s, {"subject": s}) for s in subjects]

    texts = store.execute(7, Metadata(), seal).result
    store.execute(7, Metadata(), seal)
    for subject, text in zip(subjects, texts, strict=True):
        assert opened(store, subject, text) == {"subject": subject}


def test_data_sealed_by_an_earlier_release_still_opens() -> None:
    key = MasterKey(SECRET).unwrap("customer-7-33", WRAPPED)
    assert SubjectKeys({"customer-7-33": key}).open("customer-7-33", SEALED) == ALI


def test_lookup_keys_never_change_and_tell_businesses_and_purposes_apart(store: EventStore) -> None:
    lookup = MasterKey(SECRET).lookup_key
    assert lookup("customer", 7, "name:আলী").hex() == "77678deb9485ca17f0b8880cf67fb42a"
    assert (
        store.execute(7, Metadata(), lambda u: u.vault.lookup_key("customer", 7, "name:আলী").hex()).result
        == "77678deb9485ca17f0b8880cf67fb42a"
    )
    others = [
        lookup("customer", 70, "name:আলী"),
        lookup("email", 7, "name:আলী"),
        lookup("customer", None, "name:আলী"),
        lookup("customer", 7, "name:আল"),
        MasterKey(SECRET + "!").lookup_key("customer", 7, "name:আলী"),
    ]
    assert len({lookup("customer", 7, "name:আলী"), *others}) == 6
    assert {len(key) for key in others} == {16}
