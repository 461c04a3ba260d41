"""Command handlers of demo shops: open one like any owner's shop, wait until all of it can be read, close them."""

import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from shared.domain.events.demo import DemoShopFurnished, DemoShopOpened
from shared.domain.events.sales import UploadAccepted
from shared.eventstore.command import CommandContext
from shared.eventstore.files import PART_BYTES, Files
from shared.eventstore.store import EventStore, Metadata
from shared.http.tokens import Principal
from write_side.demo.shop import demo_shop
from write_side.identity.closing_handlers import close_demo
from write_side.identity.credentials.accounts import Account
from write_side.identity.registration_handlers import Applicant, register
from write_side.sales.upload.accept import accept

USUAL_SEED = 1
_BUSINESS_TYPE = "retail"
_LOOK_SECONDS = 0.1

# Select the day in Dhaka by the database's clock.
SELECT_TODAY = "SELECT (now() AT TIME ZONE 'Asia/Dhaka')::date AS today"
# Select the demo shops whose accounts can log in.
SELECT_OPEN = """SELECT u.business_id, u.user_id FROM credentials.users AS u
    JOIN log.history AS e ON e.stream = 'business-' || u.business_id AND e.version = 1
    WHERE u.is_active AND (e.data ->> 'is_demo')::boolean ORDER BY u.business_id"""
# Select the position from which all of a demo shop can be read, once every read model includes it.
SELECT_SHOWN = """SELECT e.position FROM log.history AS e WHERE e.stream = %s AND e.topic = %s AND (
    SELECT bool_and(r.reached >= e.position)
    FROM projections.reached(%s, ARRAY(SELECT projection FROM projections.live)) AS r)"""


class DemoAccount(NamedTuple):
    """A new demo shop and how to log in to it; the password is not stored."""

    business_id: int
    email: str
    password: str
    seed: int


def demo_stream(business_id: int) -> str:
    """Return the name of the stream with the progress of a demo shop."""
    return f"demo-{business_id}"


def open_demo(store: EventStore, files: Files, seed: int, meta: Metadata) -> DemoAccount:
    """Register a new demo shop and upload its sales; workers import them and do the rest."""
    with store.cursor() as cursor:
        today = cursor.execute(SELECT_TODAY).fetchall()[0]["today"]
    shop = demo_shop(seed, today)
    email, password = f"demo-{secrets.token_hex(5)}@smartmarket.example", secrets.token_urlsafe(12)
    applicant = Applicant(email, password, shop.owner, shop.name, _BUSINESS_TYPE, is_demo=True)
    account = register(CommandContext(store, None, meta), applicant).data
    file_id = _upload(store, files, account, shop.ledger(), f"demo_{today}.csv", meta)
    business_id = account.business_id or 0
    opened = DemoShopOpened(business_id, account.user_id, seed, today, file_id)

    ctx = CommandContext(store, business_id, _step(meta))
    ctx.execute(lambda unit: unit.append(demo_stream(business_id), 0, opened))
    return DemoAccount(business_id, email, password, seed)


def close_demos(store: EventStore, meta: Metadata) -> list[int]:
    """Close every demo shop that is open, and no other shop; returns their ids."""
    with store.cursor() as cursor:
        found = cursor.execute(SELECT_OPEN).fetchall()
    for row in found:
        close_demo(CommandContext(store, row["business_id"], meta), row["user_id"])
    return [row["business_id"] for row in found]


def open_demos(store: EventStore) -> list[int]:
    """Return the ids of the demo shops that are open."""
    with store.cursor() as cursor:
        return [row["business_id"] for row in cursor.execute(SELECT_OPEN).fetchall()]


def wait_until_shown(
    store: EventStore, business_id: int, patience: float, stopped: Callable[[], bool] = lambda: False
) -> int | None:
    """Return the position from which all of the shop can be read; None if that takes more than `patience` seconds."""
    until = time.monotonic() + patience
    while not stopped() and time.monotonic() < until:
        with store.cursor() as cursor:
            wanted = (demo_stream(business_id), DemoShopFurnished.topic, business_id)
            row = cursor.execute(SELECT_SHOWN, wanted).fetchone()
        if row:
            return int(row["position"])
        time.sleep(_LOOK_SECONDS)
    return None


def _upload(store: EventStore, files: Files, account: Account, data: bytes, name: str, meta: Metadata) -> str:
    file_id = uuid.uuid4()
    put = files.writer(account.business_id or 0, file_id)
    for part, start in enumerate(range(0, len(data), PART_BYTES)):
        put(part, data[start : start + PART_BYTES])
    event = UploadAccepted(str(file_id), name, None, len(data), hashlib.sha256(data).hexdigest(), data.count(b"\n") - 1)
    who = Principal(account.user_id, account.business_id, is_staff=False, language=account.language, family="")
    accept(store, who, _step(meta), event, limited=False)
    return event.file_id


def _step(meta: Metadata) -> Metadata:
    return replace(meta, command_id=str(uuid.uuid4()))
