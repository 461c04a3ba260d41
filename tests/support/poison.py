"""Events that no projector can apply, and their repair."""

import secrets

import msgspec

from shared.domain.events.sales import ProductsAdded
from shared.eventstore.event import Event
from tests.support.shop_events import batch, products, sale
from tests.support.world import World

# The neighbour's business lives in the same shard.
SHOP, NEIGHBOUR, OTHER = 7, 23, 8
POISONS: dict[str, Event] = {
    "a sale whose number is taken": batch(SHOP, [sale(1)]),
    "a name with a NUL": products("Te\x00a", first=2),
    "a name too long for an index": products(secrets.token_hex(20_000), first=2),
    "a sale of nothing": batch(SHOP, [sale(2, qty=0)]),
    "a time after midnight": batch(SHOP, [sale(2, time=200_000)]),
    "an amount beyond measure": batch(SHOP, [sale(2, paisa=2**63)]),
    "a payment that is not listed": batch(SHOP, [sale(2, payment=9)]),
    "a product without a number": ProductsAdded([msgspec.structs.replace(products("Milk").products[0], id=None)]),
}


def write(world: World, poison: Event | bytes) -> int:
    """Append good events of three shops with a poisoned one of SHOP among them; returns its position."""
    world.append(SHOP, products("Tea"), batch(SHOP, [sale(1, paisa=100)]))
    world.append(NEIGHBOUR, products("Soap"))
    if isinstance(poison, bytes):
        position = world.append_broken(SHOP, ProductsAdded.topic, poison)
    else:
        position = world.append(SHOP, poison)
    world.append(SHOP, products("Sugar", first=9), batch(SHOP, [sale(3, paisa=900)]))
    world.append(NEIGHBOUR, batch(NEIGHBOUR, [sale(1, paisa=200)]))
    world.append(OTHER, batch(OTHER, [sale(1, paisa=300)]))
    return position


def repair(world: World, position: int, event: Event) -> None:
    """Put a good event into the place of a broken one."""
    world.admin.execute(
        "UPDATE log.events SET topic = %s, state = %s WHERE notification_id = %s",
        (event.topic, msgspec.json.encode(event), position),
    )
