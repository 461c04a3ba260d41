"""The length of a list and its page are of one moment, whatever is written meanwhile."""

import ast
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from shared.eventstore.store import EventStore
from tests.support.application import RunningSystem
from tests.support.log_facts import connected
from tests.support.source_tree import ROOT, modules
from tests.support.staff import staff_headers

LOOKS = 300
INSERT = "INSERT INTO jobs.jobs (id, kind, subject, position, payload, state) VALUES (%s, %s, '', 0, '{}', 'done')"
TURN = "UPDATE jobs.jobs SET state = CASE state WHEN 'done' THEN 'failed' ELSE 'done' END WHERE kind = %s"
DELETE = "DELETE FROM jobs.jobs WHERE kind = %s"


@contextmanager
def a_job_that_fails_and_ends(running: RunningSystem) -> Iterator[str]:
    """Yield the kind of a job whose state turns all the time."""
    kind, over = f"turning-{uuid.uuid4()}", threading.Event()
    with running.container.connect_owner() as conn:

        def turn() -> None:
            while not over.is_set():
                conn.execute(TURN, (kind,))

        conn.execute(INSERT, (uuid.uuid4(), kind))
        turning = threading.Thread(target=turn)
        turning.start()
        try:
            yield kind
        finally:
            over.set()
            turning.join()
            conn.execute(DELETE, (kind,))


def test_a_list_counts_what_its_page_shows(unserved: httpx.Client, running: RunningSystem) -> None:
    staff = staff_headers(running.container.settings)
    with a_job_that_fails_and_ends(running) as kind:
        looks = [unserved.get("/api/admin/jobs", params={"kind": kind}, headers=staff) for _ in range(LOOKS)]
    found = [(look.json()["data"]["count"], len(look.json()["data"]["results"])) for look in looks]
    assert set(found) <= {(0, 0), (1, 1)}


def test_statements_of_a_snapshot_see_one_state_and_write_nothing(store: EventStore, database_url: str) -> None:
    count = "SELECT count(*) AS n FROM jobs.jobs"
    with store.snapshot() as cursor, connected(database_url) as other:
        assert cursor.execute(count).fetchall() == [{"n": 0}]
        other.execute(INSERT, (uuid.uuid4(), "new"))
        assert cursor.execute(count).fetchall() == [{"n": 0}]
    with store.snapshot() as cursor:
        assert cursor.execute(count).fetchall() == [{"n": 1}]
    with store.cursor() as cursor:
        assert cursor.execute("SHOW transaction_read_only").fetchall() == [{"transaction_read_only": "off"}]


@pytest.mark.parametrize("module", [str(path) for path in modules() if path.parts[0] == "read_side"])
def test_answers_of_several_statements_are_read_from_a_snapshot(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    for block in (node for node in ast.walk(tree) if isinstance(node, ast.With)):
        lends = [ast.unparse(item.context_expr) for item in block.items]
        if any(lent.endswith("store.cursor()") for lent in lends):
            calls = [node.func for node in ast.walk(block) if isinstance(node, ast.Call)]
            executed = sum(isinstance(call, ast.Attribute) and call.attr == "execute" for call in calls)
            assert executed <= 1, f"{module}, line {block.lineno}: store.snapshot() for several statements"
