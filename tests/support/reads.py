"""What tests of lists share: a ledger of invented sales, and clients that walk a list to its end."""

import datetime as dt
import random
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from shared.eventstore.event import Event
from shared.eventstore.store import Metadata, UnitOfWork
from shared.http.position_tokens import PositionTokens
from shared.runtime.business_day import DHAKA
from tests.support.application import RunningSystem
from tests.support.shops import Shop

PRODUCTS = ("Tea", "Rice", "Soap", "Chips", "Oil")
CUSTOMERS = ("Ali", "Fatema", "Rahim", None)
PAYMENTS = {"cash": "Cash", "bkash": "bKash", "card": "Card", "other": "Cheque", None: ""}
FIRST_DAY = dt.date(2025, 3, 1)


@dataclass(frozen=True)
class Sale:
    """One line of the ledger; `number` is its place, which is the order of ids."""

    number: int
    date: dt.date
    product: str
    quantity: int
    amount: float
    customer: str | None
    payment: str | None

    def line(self) -> str:
        """Return the line of the file."""
        cells = (self.date, self.product, self.quantity, self.amount, self.customer or "", PAYMENTS[self.payment])
        return ",".join(map(str, cells))


def invented(count: int, *, days: int = 20, seed: int = 7) -> list[Sale]:
    """Return a number of sales, several a day, with many equal amounts."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [
        Sale(
            number,
            FIRST_DAY + dt.timedelta(chance.randrange(days)),
            chance.choice(PRODUCTS),
            chance.randint(1, 4),
            chance.choice((10, 20.5, 20.5, 99.99, 1200)),
            chance.choice(CUSTOMERS),
            chance.choice(list(PAYMENTS)),
        )
        for number in range(count)
    ]


def csv(sales: list[Sale]) -> bytes:
    """Return the ledger as a file."""
    header = "Date,Product,Quantity,Amount,Customer,Payment Method"
    return "\n".join((header, *(sale.line() for sale in sales))).encode()


def rows(*lines: str) -> bytes:
    """Return a ledger of these lines."""
    return "\n".join(("Date,Product,Quantity,Amount,Customer,Payment Method", *lines)).encode()


def today() -> dt.date:
    """Return the date in Dhaka."""
    return dt.datetime.now(DHAKA).date()


def data(client: httpx.Client, shop: Shop, path: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - the value of a query parameter
    """Return the data of a GET that succeeds."""
    answer = client.get(f"/api{path}", params=params or None, headers=shop.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def by_offset(client: httpx.Client, shop: Shop, path: str, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the value of a query parameter
    """Return every item, following `next`; the count is that of the items, and `previous` leads back."""
    page = data(client, shop, path, **params)
    items, count = page["results"], page["count"]
    while page["next"]:
        came_from = page
        page = client.get(page["next"], headers=shop.headers).json()["data"]
        assert page["count"] == count
        assert client.get(page["previous"], headers=shop.headers).json()["data"]["results"] == came_from["results"]
        items += page["results"]
    assert len(items) == count
    return list(items)


def by_cursor(client: httpx.Client, shop: Shop, path: str, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the value of a query parameter
    """Return every item, following cursors."""
    page = data(client, shop, path, **params)
    items = page["results"]
    while page["next_cursor"]:
        page = data(client, shop, path, **params, cursor=page["next_cursor"])
        items += page["results"]
        assert (page["next"] is None) == (page["next_cursor"] is None)
    assert len(items) == page["count"]
    return list(items)


def refusal(client: httpx.Client, shop: Shop, path: str, **params: Any) -> str:  # noqa: ANN401 - the value of a query parameter
    """Return the error code of a GET that is refused with 400."""
    answer = client.get(f"/api{path}", params=params or None, headers=shop.headers)
    assert answer.status_code == 400, answer.text
    code: str = answer.json()["error_code"]
    return code


def record(running: RunningSystem, shop: Shop, *events: Event, stream: str | None = None) -> dict[str, str]:
    """Append events of the shop to a stream of the log; returns the header that makes a query wait for them."""
    store = running.container.store(pool_size=1)
    name = stream or f"test-{uuid.uuid4()}"

    def decide(unit: UnitOfWork) -> None:
        unit.append(name, len(unit.load(name)), *events)

    position = store.execute(shop.business_id, Metadata(), decide).position
    store.close()
    assert position is not None
    return at(running, shop, position)


def at(running: RunningSystem, shop: Shop, position: int) -> dict[str, str]:
    """Return the header that makes a query of the shop wait for a position."""
    return {"X-Min-Event-Position": PositionTokens(running.container.secret).seal(shop.business_id, position)}
