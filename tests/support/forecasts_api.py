"""Forecasts of a shop as the log has them, once they are made; and runs that no worker takes."""

import uuid

from shared.domain.events.forecasting import ForecastMade
from shared.eventstore.codec import decode
from tests.support.application import RunningSystem
from tests.support.log_facts import rows
from tests.support.shops import Shop
from tests.support.waiting import wait_until

COMPLETED = """SELECT count(*) FROM log.events
    WHERE business_id = %s AND topic = 'forecasting.ForecastRunCompleted'"""
OPEN = """SELECT kind, subject, business_id, priority, state, attempts, run_after - now(), leased_until - now(), error
    FROM jobs.jobs WHERE state IN ('pending', 'running') ORDER BY priority, position LIMIT 20"""
# Inserts a job that is done, so that the events that call for it do not start it.
INSERT_DONE = """INSERT INTO jobs.jobs (id, kind, subject, position, payload, state)
    VALUES (%s, %s, %s, 0, '{}', 'done') ON CONFLICT DO NOTHING"""
MADE = "SELECT topic, state FROM log.events WHERE business_id = %s AND topic = %s ORDER BY notification_id"


def made_forecasts(running: RunningSystem, shop: Shop, runs: int) -> list[ForecastMade]:
    """Return the forecasts of a shop once a number of runs are done; fails with the open jobs where they are not."""
    running.make_forecasts(shop.business_id)
    try:
        wait_until(lambda: rows(running.container.url, COMPLETED, shop.business_id)[0][0] >= runs, patience=240)
    except AssertionError as late:
        late.add_note(f"open jobs, the shop is {shop.business_id}: {rows(running.container.url, OPEN)}")
        raise
    found = rows(running.container.url, MADE, shop.business_id, ForecastMade.topic)
    return [event for topic, state in found if isinstance(event := decode(topic, bytes(state)), ForecastMade)]


def job_done(running: RunningSystem, subject: str, kind: str = "make_forecasts") -> None:
    """Let no worker take a job: the first part of a run, or the reading of a file."""
    named = f"{subject}-0" if kind == "make_forecasts" else subject
    with running.container.connect_owner() as conn:
        conn.execute(INSERT_DONE, (uuid.uuid4(), kind, named))
