"""Who shares a phone number, and which products are sold in several units: seen over a whole file."""

from collections.abc import Mapping, Sequence

from shared.domain.contacts import name_key, phone
from write_side.sales.csv import words
from write_side.sales.csv.bijoy import from_bijoy, looks_like_bijoy
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.findings import Findings
from write_side.sales.csv.profile import Profile
from write_side.sales.csv.questions import Inquiry, code_of
from write_side.sales.csv.values import is_placeholder, is_weighed

_PIECES = frozenset({"", "pc", "pcs", "piece", "pieces", "nos", "no", "ea", "each", "unit", "units", "পিস", "টি"})
# A phone number shared by this many people belongs to the shop, or is a placeholder of the till.
_CROWD = 3
# Names are asked about if at least one in this many has signs of the font SutonnyMJ.
_MARKED_ONE_IN = 5


def same_people(
    columns: Mapping[str, int], header: Sequence[str], seen: Profile, inquiry: Inquiry
) -> tuple[frozenset[str], list[Notice]]:
    """Return the phones that are not one customer's, and what the owner should know of them.

    A number of two names is asked; one of three and more is nobody's own.
    """
    names: dict[str, dict[str, int]] = {}
    placeholders = False
    for (phone_cell, name_cell), line in seen.pairs.get(("phone", "customer"), {}).items():
        number = phone(phone_cell) if phone_cell else None
        if number and is_placeholder(number):
            placeholders = True
        elif number and not words.is_nobody(name_cell):
            names.setdefault(number, {}).setdefault(name_key(name_cell), line)
    crowds = set()
    for number, people in names.items():
        if len(people) >= _CROWD:
            crowds.add(number)
        elif len(people) > 1:
            answer = inquiry.ask(
                code_of("SHARED_PHONE", number[-4:]),
                ("several", "one"),
                proposed="several",
                columns=[header[columns["phone"]], header[columns["customer"]]],
                rows=sorted(people.values()),
            )
            if answer == "several":
                crowds.add(number)
    notices = (
        [Notice(Remark.PHONE_PLACEHOLDER.value)]
        if placeholders or any(len(p) >= _CROWD for p in names.values())
        else []
    )
    return frozenset(crowds), notices


def choose_font(known: Findings) -> str:
    """Ask whether names were typed for the font SutonnyMJ, where many have signs that only such text has."""
    fields = [field for field in ("product", "customer") if field in known.columns]
    names = {row[known.columns[field]] for row in known.seen.sample for field in fields} - {""}
    marked = [name for name in names if looks_like_bijoy(name)]
    if not names or len(marked) * _MARKED_ONE_IN < len(names):
        return ""
    # Questions are recorded, so none of them may show the name of a customer.
    products = {row[known.columns["product"]] for row in known.seen.sample} if "product" in known.columns else set()
    example = min(products.intersection(marked), default="evsjv")
    answer = known.inquiry.ask(
        "BANGLA_FONT",
        ("all", "marked", "keep"),
        proposed="all",
        columns=[known.name_of(field) for field in fields],
        values=[example, from_bijoy(example)],
    )
    if answer == "keep":
        return ""
    known.note(Remark.BANGLA_CONVERTED)
    return answer


def units_apart(seen: Profile) -> tuple[frozenset[str], list[Notice]]:
    """Return the keys of products that are sold by the piece and by the pack, which are two products."""
    units: dict[str, set[str]] = {}
    for product, unit in seen.pairs.get(("product", "unit"), {}):
        word = loosely(unit)
        if product.strip() and not is_weighed(unit) and word not in words.PIECES_IN:
            units.setdefault(name_key(product), set()).add("" if word in _PIECES else word)
    apart = frozenset(key for key, found in units.items() if len(found) > 1)
    return apart, [Notice(Remark.UNITS_APART.value, (str(len(apart)),))] if apart else []


def is_piece(unit: str) -> bool:
    """Return whether a unit counts single pieces."""
    return loosely(unit) in _PIECES
