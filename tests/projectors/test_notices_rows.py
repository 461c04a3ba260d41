import pytest

from shared.domain.events.forecasting import ForecastRunCompleted, ForecastsRequested, Short
from shared.domain.events.identity import LoggedOut, SessionsRevoked
from shared.domain.events.recommendations import RecommendationWithdrawn
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed, JobRetried
from tests.support.forecast_events import RUN, made
from tests.support.recommendation_events import issued
from tests.support.shop_events import DAY, accepted, batch, completed, file_id, sale
from tests.support.world import World

SHOP = 7
FILE = file_id(SHOP)


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ([accepted(SHOP, rows=4)], ("import", FILE, "pending", 0, 4)),
        ([accepted(SHOP, rows=4), batch(SHOP, [sale(1)], duplicates=2)], ("import", FILE, "processing", 3, 4)),
        ([accepted(SHOP), batch(SHOP, [sale(1)]), completed(SHOP, created=1)], ("import", FILE, "completed", 1, 1)),
        ([accepted(SHOP), JobFailed("j", "read_upload", FILE, 4, "")], ("import", FILE, "failed", 0, 3)),
        (
            [JobFailed("j", "read_upload", FILE, 4, ""), JobRetried("j", "read_upload", FILE)],
            ("import", FILE, "pending", 0, None),
        ),
        ([ForecastsRequested(RUN, "owner", 7, DAY, [1, 2])], ("forecast", RUN, "pending", 0, 2)),
        ([ForecastsRequested(RUN, "owner", 7, DAY, [])], ("forecast", RUN, "completed", 0, 0)),
        ([ForecastsRequested(RUN, "day", 7, DAY, [])], ("forecast", RUN, "pending", 0, 0)),
        ([JobFailed("j", "make_forecasts", f"{RUN}-0", 4, "")], ("forecast", RUN, "failed", 0, None)),
        ([issued(3)], ("advice", "3", "new", 0, None)),
        ([issued(3), RecommendationWithdrawn(3, "resolved", {})], ("advice", "3", "closed", 0, None)),
        ([LoggedOut(1, "f")], ("session", "f", "ended", 0, None)),
        ([SessionsRevoked(1, ["f"], "logout_all")], ("session", "f", "ended", 0, None)),
    ],
)
def test_each_subject_has_one_row_with_its_latest_state(
    world: World, events: list[Event], row: tuple[object, ...]
) -> None:
    last = world.append(SHOP, *events)
    world.project("notices")
    (found,) = world.rows("notices")["notices"]
    assert tuple(found[name] for name in ("type", "subject", "state", "done", "total")) == row
    assert found["position"] == last


def test_parts_of_a_run_are_counted(world: World) -> None:
    world.append(SHOP, ForecastsRequested(RUN, "import", 7, DAY, [1, 2, 3]), made(1, [1]))
    world.append(SHOP, ForecastRunCompleted(RUN, 0, 2, 7, [1], [Short(2, 3, 30)], []))
    world.project("notices")
    (found,) = world.rows("notices")["notices"]
    assert (found["done"], found["parts_done"], found["parts"], found["kind"]) == (2, 1, 2, "import")


def test_listeners_hear_of_the_businesses_whose_rows_were_committed(world: World) -> None:
    world.conn.execute("LISTEN notices")
    world.append(SHOP, accepted(SHOP))
    world.append(23, accepted(23))
    world.append(24, LoggedOut(1, "f"))
    world.project("notices", limit=50)
    heard = [notice.payload for notice in world.conn.notifies(timeout=5, stop_after=1)]
    assert heard == [f"{SHOP},23,24"]
