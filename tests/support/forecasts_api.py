"""Forecasts of a shop as the log has them, once they are made."""

from shared.event_codec import decode
from shared.events.forecasting import ForecastMade
from tests.support.application import RunningHouse
from tests.support.log_facts import rows
from tests.support.shops import Shop
from tests.support.waiting import wait_until

COMPLETED = """SELECT count(*) FROM log.events
    WHERE business_id = %s AND topic = 'forecasting.ForecastRunCompleted'"""
MADE = "SELECT topic, state FROM log.events WHERE business_id = %s AND topic = %s ORDER BY notification_id"


def told(running: RunningHouse, shop: Shop, runs: int) -> list[ForecastMade]:
    """Return the forecasts of a shop once so many runs are done."""
    wait_until(lambda: rows(running.house.url, COMPLETED, shop.business_id) == [(runs,)], patience=240)
    found = rows(running.house.url, MADE, shop.business_id, ForecastMade.topic)
    return [event for topic, state in found if isinstance(event := decode(topic, bytes(state)), ForecastMade)]
