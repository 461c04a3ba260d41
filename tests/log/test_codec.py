import datetime as dt
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any, ClassVar

import msgspec
import pytest

from shared.domain import events
from shared.eventstore import system_events
from shared.eventstore.catalogue import CATALOGUE, DuplicateTopic, register
from shared.eventstore.codec import UnknownTopic, UnknownVersion, decode, encode
from shared.eventstore.event import Event, Row
from tests.support.event_samples import GOLDEN, SAMPLES, golden

SYSTEM_TOPICS = {
    "clock.DayOpened",
    "clock.DayCorrected",
    "rules.RuleActivated",
    "jobs.JobFailed",
    "jobs.JobRetried",
    "projections.ParkedBusinessRetried",
    "identity.BusinessErased",
}
VERSIONS = [(topic, version) for topic, cls in CATALOGUE.items() for version in range(1, cls.class_version + 1)]


def event_classes() -> list[type[Event]]:
    """Return the events that these modules define, whether the catalogue knows them or not."""
    modules = [importlib.import_module(f"shared.domain.events.{m.name}") for m in pkgutil.iter_modules(events.__path__)]
    found = [cls for module in [*modules, system_events] for _, cls in inspect.getmembers(module, inspect.isclass)]
    return [cls for cls in found if issubclass(cls, Event) and cls is not Event]


def test_the_catalogue_knows_every_event_by_a_topic_of_its_own() -> None:
    classes = set(event_classes())
    assert set(CATALOGUE.values()) == classes
    assert {topic: cls.topic for topic, cls in CATALOGUE.items()} == {topic: topic for topic in CATALOGUE}
    for cls in classes:
        package = cls.__module__.rpartition(".")[2]
        in_system = cls.__module__ == system_events.__name__
        assert cls.topic in (SYSTEM_TOPICS if in_system else {f"{package}.{cls.__name__}"})
        assert cls.__struct_config__.frozen


@pytest.mark.parametrize(("topic", "version"), VERSIONS)
def test_every_version_of_an_event_is_read_as_it_was_written(topic: str, version: int) -> None:
    """An event's bytes in the log never change: a golden file is added for a new version, none is ever edited."""
    state = golden(topic, version).read_bytes()
    assert decode(topic, state) == SAMPLES[topic, version]
    if version == CATALOGUE[topic].class_version:
        assert encode(SAMPLES[topic, version]) == state


@pytest.mark.parametrize(("topic", "version"), VERSIONS)
def test_examples_leave_no_field_out(topic: str, version: int) -> None:
    stored = msgspec.json.decode(golden(topic, version).read_bytes())
    fields = {field.encode_name: field.default for field in msgspec.structs.fields(CATALOGUE[topic])}
    if version == CATALOGUE[topic].class_version:
        assert stored.keys() - {"class_version"} == fields.keys()
        assert [name for name, default in fields.items() if stored[name] == default] == []


def test_there_is_a_golden_file_for_every_version_and_no_other() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {golden(*key).name for key in VERSIONS}
    assert SAMPLES.keys() == set(VERSIONS)


def test_optional_fields_may_be_absent_from_what_was_stored() -> None:
    state = b'{"business_id":7,"user_id":12,"name":"Tea","type":"retail"}'
    assert msgspec.to_builtins(decode("identity.BusinessRegistered", state))["is_demo"] is False


@pytest.mark.parametrize(
    "state", [b"", b"{", b"[]", b"null", b"{}", b'{"user_id":"12","family":"f"}', b'{"class_version":"x"}', b"\xff"]
)
def test_a_broken_state_is_no_event(state: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode("identity.LoggedIn", state)


def test_an_event_of_a_later_release_is_refused() -> None:
    with pytest.raises(UnknownTopic):
        decode("sales.PriceChanged", b"{}")
    with pytest.raises(UnknownVersion, match=r"identity\.LoggedIn version 2"):
        decode("identity.LoggedIn", b'{"class_version":2,"user_id":12,"family":"f"}')


class Tag(Row, frozen=True):
    name: str
    since: dt.date


class PriceChanged(Event, frozen=True):
    """Version 1 had `price` in taka, version 2 in paisa; version 3 knows tags and since when it holds."""

    topic: ClassVar[str] = "test.PriceChanged"
    class_version: ClassVar[int] = 3
    paisa: int
    since: dt.date | None
    tags: list[Tag]

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> dict[str, Any]:
        return {"paisa": state["price"] * 100}

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "since": "2020-01-01", "tags": [["old", "2019-12-31"]]}


class Emptied(Event, frozen=True):
    topic: ClassVar[str] = "test.Emptied"
    class_version: ClassVar[int] = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> dict[str, Any]:
        assert state == {"reason": "none"}
        return {}


def test_a_topic_that_another_class_has_is_refused() -> None:
    module = ModuleType("elsewhere")
    module.DayBegan = type("DayBegan", (Event,), {"topic": "clock.DayOpened", "__module__": "elsewhere"})  # type: ignore[attr-defined]
    with pytest.raises(DuplicateTopic, match=r"clock\.DayOpened"):
        register(module)


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for cls in (PriceChanged, Emptied):
        monkeypatch.setitem(CATALOGUE, cls.topic, cls)


@pytest.mark.usefixtures("_known")
def test_older_versions_are_lifted_step_by_step() -> None:
    lifted = PriceChanged(500, dt.date(2020, 1, 1), [Tag("old", dt.date(2019, 12, 31))])
    assert decode(PriceChanged.topic, b'{"price":5}') == lifted
    assert decode(PriceChanged.topic, b'{"class_version":2,"paisa":500}') == lifted
    assert decode(Emptied.topic, b'{"reason":"none"}') == Emptied()


@pytest.mark.usefixtures("_known")
def test_todays_version_says_so_and_is_not_lifted() -> None:
    event = PriceChanged(500, None, [])
    assert encode(event) == b'{"class_version":3,"paisa":500,"since":null,"tags":[]}'
    assert decode(PriceChanged.topic, encode(event)) == event
    assert encode(Emptied()) == b'{"class_version":2}'
    assert decode(Emptied.topic, encode(Emptied())) == Emptied()
    with pytest.raises(UnknownVersion, match="version 4"):
        decode(PriceChanged.topic, b'{"class_version":4,"paisa":500,"since":null,"tags":[],"currency":"USD"}')


@pytest.mark.usefixtures("_known")
def test_an_older_state_that_is_broken_is_no_event() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(PriceChanged.topic, b'{"class_version":2,"paisa":"much"}')
