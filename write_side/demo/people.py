"""Who buys in the demo shop, and on which days: regulars, a group that fades away, a few who are new."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faker import Faker

DAYS = 184
_REGULARS, _FADING, _NEW = 16, 5, 3
# Faker knows the names of Bangladesh in Bangla only; ledgers often have them in Latin letters.
_FIRST = ("Rahim", "Salma", "Tanvir", "Nasrin", "Jamal", "Farhana", "Sumon", "Ruma", "Habib", "Shirin", "Kamal", "Mitu")
_LAST = ("Hossain", "Akter", "Islam", "Begum", "Chowdhury", "Sarker", "Miah", "Khatun", "Ahmed", "Das")


@dataclass(frozen=True)
class Person:
    """A customer as the ledger names one, and the days of the visits, in order."""

    name: str
    phone: str | None
    visits: Sequence[dt.date]
    takes_credit: bool


def people(chance: random.Random, today: dt.date) -> list[Person]:
    """Return the customers of the six months that end with `today`, no two of one name or phone.

    Those who fade away came every few days, then ever more rarely, and were last seen two to three months ago.
    """
    names, phones = _names(chance), _phones(chance)
    found = []
    for k in range(_REGULARS + _FADING + _NEW):
        fading, new = _REGULARS <= k < _REGULARS + _FADING, k >= _REGULARS + _FADING
        first = today - dt.timedelta(chance.randint(5, 30) if new else DAYS - chance.randint(1, 9))
        last = today - dt.timedelta(chance.randint(66, 84) if fading else 0)
        usual = chance.uniform(3, 6) if fading else chance.uniform(2, 11)
        visits = _visits(chance, first, last, usual, 1.05 if fading else 1.0)
        phone = phones[k] if k % 3 or fading else None
        found.append(Person(names[k], phone, visits, takes_credit=k % 4 == 1))
    return found


def owner_name(chance: random.Random) -> str:
    """Return the owner's first name."""
    return str(_faker(chance).first_name_male())


def _visits(chance: random.Random, first: dt.date, last: dt.date, usual: float, slower: float) -> list[dt.date]:
    days, day, gap = [], first, usual
    while day <= last:
        days.append(day)
        day += dt.timedelta(max(1, round(chance.gauss(gap, gap / 4))))
        gap *= slower
    return days


def _names(chance: random.Random) -> list[str]:
    faker = _faker(chance)
    found: dict[str, None] = {}
    while len(found) < _REGULARS + _FADING + _NEW:
        latin = f"{faker.random_element(_FIRST)} {faker.random_element(_LAST)}"
        found[faker.name() if len(found) % 2 else latin] = None
    return list(found)


def _phones(chance: random.Random) -> list[str]:
    # No operator has numbers that begin with 0100: nobody is rung up by a demo.
    return [f"0100{n:07d}" for n in chance.sample(range(10_000_000), _REGULARS + _FADING + _NEW)]


def _faker(chance: random.Random) -> "Faker":
    from faker import Faker  # noqa: PLC0415 - no process but the one that makes a demo shop has to carry it

    made = Faker("bn_BD")
    made.seed_instance(chance.randrange(2**31))
    return made
