"""A shop is erased, by its owner after a week or by an operator at once: nothing shows it, and other shops stay."""

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from projections.engine import generation_schemas
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.domain.refusals.identity import NoBusinessToErase
from shared.eventstore.checkpoints import FileAnchor
from shared.eventstore.store import EventStore, Metadata
from shared.runtime.errors import CannotStart
from smartmarket.cli import invoke
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.shops import Shop, finished_upload, register, upload
from tests.support.staff import staff_headers
from tests.support.time_travel_api import travel
from tests.support.traces import rows_of, traces
from tests.support.waiting import wait_until
from write_side.forecasting.policy import MAKE
from write_side.identity.erasure_handlers import erase_business, erase_due
from write_side.indexes import index_differences, rebuild_indexes
from write_side.log_audit import LogAudit

_NUMBERS = itertools.count(1000)
# Selects whether a shop has open jobs besides those of a kind, or events that policies or read models have not reached.
SELECT_BEHIND = """WITH last AS (SELECT max(notification_id) AS position FROM log.events WHERE business_id = %s)
    SELECT EXISTS (SELECT FROM jobs.jobs WHERE business_id = %s AND state <> 'done' AND kind <> %s)
        OR (SELECT min(position) FROM jobs.progress) < last.position
        OR EXISTS (SELECT FROM projections.reached(%s, ARRAY(SELECT projection FROM projections.live)) AS r
            WHERE r.reached < last.position)
    FROM last"""
WEEK = dt.timedelta(days=7)


@pytest.fixture
def store(running: RunningSystem) -> Iterator[EventStore]:
    with closing(running.container.store(pool_size=2)) as opened:
        yield opened


@dataclass(frozen=True)
class Known:
    """What a shop knows of its owner and a customer: nobody else in the database has these words."""

    number: int

    @property
    def owner(self) -> dict[str, str]:
        return {"email": f"end.of.shop{self.number}@shop.bd", "first_name": f"Shahnaz{self.number}"}

    @property
    def name(self) -> str:
        return f"Moyna{self.number} Sikder{self.number}"

    @property
    def details(self) -> dict[str, str]:
        n = self.number
        return {"email": f"m.sikder{n}@example.com", "address": f"{n} Lake Road", "notes": f"Pays {n} late"}

    @property
    def traces(self) -> tuple[str, ...]:
        """The words, as any byte sequence of the database could have them."""
        words = (*self.name.split(), f"175{self.number:07}", f"174{self.number:07}")
        return tuple(word.casefold() for word in (*words, *self.owner.values(), *self.details.values()))

    @property
    def ledger(self) -> bytes:
        lines = (
            "Date,Product,Quantity,Amount,Customer,Phone,Payment Method",
            f"2025-10-01,Tea,1,10,{self.name},0175{self.number:07},Cash",
            "2025-10-02,Tea,2,20,Rakib,,Cash",
            f"2025-10-05,Rice,x,91,{self.name},,Cash",
        )
        return "\n".join(lines).encode()


@pytest.fixture
def known() -> Known:
    return Known(next(_NUMBERS))


@pytest.fixture
def ended(client: httpx.Client, known: Known) -> Shop:
    """A shop with an account, a ledger, people, cash and a replay, that is to be erased."""
    shop = register(client, **known.owner)
    file_id = upload(client, shop, known.ledger).json()["data"]["file_id"]
    finished = finished_upload(client, shop, file_id)
    day = dt.datetime.now(dt.UTC).date().isoformat()
    ids = {item["name"]: item["id"] for item in read(client, shop, "customers", finished)["results"]}
    paid = {"customer_id": ids[known.name], "amount": 5, "date": day}
    for answer in (
        client.patch(f"/api/customers/{ids[known.name]}", json=known.details, headers=shop.headers),
        client.patch("/api/business/profile", json={"phone_number": f"0174{known.number:07}"}, headers=shop.headers),
        client.post("/api/cashflow/collections", json=paid, headers=shop.headers),
    ):
        assert answer.status_code in {200, 201}, answer.text
    travel(client, shop, known_at=dt.datetime.now(dt.UTC).isoformat())
    return shop


def read(client: httpx.Client, shop: Shop, path: str, after: httpx.Response | None = None) -> Any:  # noqa: ANN401 - JSON
    fresh = {"X-Min-Event-Position": after.headers["X-Event-Position"]} if after else {}
    answer = client.get(f"/api/{path}", headers=shop.headers | fresh)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def asked(client: httpx.Client, shop: Shop, password: str | None = None) -> httpx.Response:
    """Ask for the shop to be erased; returns the answer."""
    return client.request("DELETE", "/api/business", json={"password": password or shop.password}, headers=shop.headers)


def erased(running: RunningSystem, shop: Shop, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Erase a shop by the command and wait until the read models know; returns what the command printed."""
    capsys.readouterr()
    assert invoke(["erase", str(shop.business_id), "--yes", "--json"], running.container) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    with running.container.connect_owner() as conn:
        wait_until(lambda: not shown(conn, shop))
        wait_until(lambda: not behind(conn, shop))
    return data


def shown(conn: psycopg.Connection[Any], shop: Shop) -> set[str]:
    """Return the tables of serving read models that have rows of a shop."""
    serving = {schema for (schema,) in conn.execute("SELECT schema FROM projections.live").fetchall()}
    found = {table for schema, table in rows_of(conn, shop.business_id) if schema in serving}
    return found - {"replayed"}  # how many rows a replay wrote


def lasting(conn: psycopg.Connection[Any], shop: Shop) -> dict[tuple[str, str], list[str]]:
    """Return the rows of a shop, without those of jobs."""
    return {place: rows for place, rows in rows_of(conn, shop.business_id).items() if place[0] != "jobs"}


def behind(conn: psycopg.Connection[Any], shop: Shop, *, but: str = "") -> bool:
    """Tell whether jobs, `but` those of one kind, policies or read models are behind the log of a shop."""
    return conn.execute(SELECT_BEHIND, (shop.business_id, shop.business_id, but, shop.business_id)).fetchone() == (
        True,
    )


def test_the_database_keeps_no_word_of_an_erased_shop_and_every_row_of_another(
    client: httpx.Client,
    running: RunningSystem,
    known: Known,
    ended: Shop,
    other_shop: Shop,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger = Known(next(_NUMBERS)).ledger
    finished_upload(client, other_shop, upload(client, other_shop, ledger).json()["data"]["file_id"])
    with running.container.connect_owner() as conn:
        wait_until(lambda: not behind(conn, other_shop, but=MAKE))  # nobody awaits forecasts here
        before = lasting(conn, other_shop)
        rebuild_indexes(conn)  # other tests append events to the log that no command has decided
        assert erased(running, ended, capsys) == {"business_id": ended.business_id, "erased": True, "files": 1}
        generation_schemas.drop_unused(conn, after_seconds=0)
        left = {f"{schema}.{table}" for schema, table in rows_of(conn, ended.business_id)}
        assert left <= {"log.events", "jobs.jobs", "credentials.sessions", "projections.replays"}
        assert lasting(conn, other_shop) == before
        scoped = "SELECT count(*) FROM log.index_rows WHERE scope = %s"
        assert conn.execute(scoped, (ended.business_id,)).fetchone() == (0,)
        keys = "SELECT count(*) FROM vault.keys WHERE subject ~ %s"
        pattern = f"^(customer-{ended.business_id}-.*|business-{ended.business_id}|user-{ended.user_id})$"
        assert conn.execute(keys, (pattern,)).fetchone() == (0,)
        assert traces(conn, known.traces) == []
        assert not any(index_differences(conn).values())


def test_read_models_and_indexes_rebuilt_after_an_erasure_are_the_same(
    running: RunningSystem, ended: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running.container.connect_owner() as conn:
        rebuild_indexes(conn)  # other tests append events to the log that no command has decided
        audit = LogAudit(FileAnchor(tmp_path / "before"), running.container.checkpoint_key(), files_in_table=True)
        found = audit.verify(conn)
    erased(running, ended, capsys)
    with running.container.connect_owner() as conn:
        rows = "SELECT kind, scope, key, value FROM log.index_rows ORDER BY 1, 2, 3"
        index = conn.execute(rows).fetchall()
        for projection in REGISTRY.values():
            rebuild(source_of(running.container), projection, workers=0)
        rebuild_indexes(conn)
        assert shown(conn, ended) == set()
        assert conn.execute(rows).fetchall() == index
        audit = LogAudit(FileAnchor(tmp_path / "log"), running.container.checkpoint_key(), files_in_table=True)
        assert audit.verify(conn) == found


def test_the_owner_of_an_erased_shop_is_unknown_and_may_register_again(
    client: httpx.Client, running: RunningSystem, ended: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    erased(running, ended, capsys)
    for path in ("customers", "transactions", "business/profile", "auth/me"):
        assert client.get(f"/api/{path}", headers=ended.headers).status_code == 401, path
    sale = {"date": "2025-10-06", "product_name": "Tea", "quantity": 1, "amount": 15}
    assert client.post("/api/transactions", json=sale, headers=ended.headers).status_code == 401
    token = {"refresh_token": ended.tokens["refresh_token"]}
    assert client.post("/api/auth/token/refresh", json=token).status_code == 401
    known, unknown = (
        client.post("/api/auth/login", json={"email": email, "password": ended.password})
        for email in (ended.email, f"nobody-{uuid.uuid4().hex[:8]}@shop.bd")
    )
    said = [(each.status_code, each.json()["error_code"], each.json()["message"]) for each in (known, unknown)]
    assert said[0] == said[1]
    assert said[0][:2] == (401, "INVALID_CREDENTIALS")
    staff = staff_headers(running.container.settings)
    assert client.get(f"/api/admin/users?business_id={ended.business_id}", headers=staff).json()["data"]["count"] == 0
    again = register(client, email=ended.email)
    assert again.business_id != ended.business_id
    assert read(client, again, "customers")["count"] == 0


def test_an_owner_keeps_a_shop_within_the_week(client: httpx.Client, store: EventStore, running: RunningSystem) -> None:
    shop = register(client)
    first, second = asked(client, shop), asked(client, shop)
    assert (first.status_code, second.status_code) == (202, 202), first.text
    after = dt.datetime.fromisoformat(first.json()["data"]["erased_after"])
    assert second.json()["data"] == first.json()["data"]
    assert abs(after - dt.datetime.now(dt.UTC) - WEEK) < dt.timedelta(minutes=5)
    files = running.container.files(store)
    assert erase_due(store, files) == []
    assert read(client, shop, "business/profile")["name"] == "Ali's Tea Shop"
    with store.cursor() as cursor:
        requested = "SELECT count(*) AS n FROM log.index_rows WHERE kind = 'erasure' AND key = %s"
        key = (shop.business_id.to_bytes(8, "big"),)
        assert cursor.execute(requested, key).fetchall() == [{"n": 1}]
        kept = client.post("/api/business/keep", headers=shop.headers)
        assert (kept.status_code, kept.json()["data"]) == (200, {"kept": True}), kept.text
        assert cursor.execute(requested, key).fetchall() == [{"n": 0}]
    assert client.post("/api/business/keep", headers=shop.headers).status_code == 200
    late = after + WEEK
    assert not erase_business(store, files, shop.business_id, Metadata(), now=late).erased
    assert read(client, shop, "business/profile")["name"] == "Ali's Tea Shop"


def test_a_shop_is_erased_once_the_week_is_over_and_not_before(
    client: httpx.Client, store: EventStore, running: RunningSystem
) -> None:
    shop = register(client)
    after = dt.datetime.fromisoformat(asked(client, shop).json()["data"]["erased_after"])
    files = running.container.files(store)
    meta = Metadata(actor="scheduler")
    early = erase_business(store, files, shop.business_id, meta, now=after - dt.timedelta(minutes=1))
    assert not early.erased
    assert read(client, shop, "business/profile")["name"] == "Ali's Tea Shop"
    assert erase_business(store, files, shop.business_id, meta, now=after + dt.timedelta(minutes=1)).erased
    assert not erase_business(store, files, shop.business_id, meta, now=after + WEEK).erased
    # The tables may have followed before the process knows that the session has ended.
    wait_until(lambda: client.get("/api/business/profile", headers=shop.headers).status_code == 401)


def test_only_the_owner_with_the_right_password_ends_a_shop(
    client: httpx.Client, running: RunningSystem, shop: Shop, other_shop: Shop
) -> None:
    wrong = asked(client, shop, "NotThePassword1")
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, "INVALID_CREDENTIALS")
    for body in ({}, {"password": None}, {"password": shop.password, "business_id": other_shop.business_id}):
        refused = client.request("DELETE", "/api/business", json=body, headers=shop.headers)
        assert refused.status_code == 400, refused.text
    headers = staff_headers(running.container.settings)
    assert client.request("DELETE", "/api/business", json={"password": "x"}, headers=headers).status_code == 403
    assert client.request("DELETE", "/api/business", json={"password": "x"}).status_code == 401
    assert asked(client, other_shop).status_code == 202
    with running.container.connect_owner() as conn:
        topics = "SELECT count(*) FROM log.events WHERE business_id = %s AND topic ~ 'Erasure'"
        assert conn.execute(topics, (shop.business_id,)).fetchone() == (0,)
        assert conn.execute(topics, (other_shop.business_id,)).fetchone() == (1,)


def test_the_command_asks_and_erases_again_without_harm_and_knows_no_stranger(
    running: RunningSystem, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CannotStart, match="--yes"):
        invoke(["erase", str(shop.business_id)], running.container)
    assert erased(running, shop, capsys)["erased"]
    assert not erased(running, shop, capsys)["erased"]
    with pytest.raises(NoBusinessToErase):
        invoke(["erase", str(10**12), "--yes"], running.container)
