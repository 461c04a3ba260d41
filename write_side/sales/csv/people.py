"""Who shares a phone number, and which products are sold in several units: seen over a whole file."""

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

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


# Names that are alike by this share of their letters may be spellings of one.
_ALIKE = 0.8
_TITLES = frozenset({"md", "mohammad", "muhammad", "mr", "mrs", "ms", "dr", "মো", "মোঃ", "মোহাম্মদ", "জনাব", "ডা"})


class KnownPerson(NamedTuple):
    """The customer whom the shop knows by a phone number: id, and the keys of all names that it was ever called by.

    asks: whether other names may still be asked about; rows that follow recorded ones are read as those were.
    """

    customer_id: int
    names: frozenset[str]
    asks: bool = True

    @property
    def code(self) -> str:
        """Return the question whether another name with the number is this customer."""
        return code_of("KNOWN_PHONE", str(self.customer_id))


# Phone numbers -> the customers whom the shop knows by them; unknown numbers are left out.
KnownPhones = Callable[[Collection[str]], Mapping[str, KnownPerson]]


def nobody_known(_: Collection[str]) -> Mapping[str, KnownPerson]:
    """Return that no phone number is known."""
    return {}


class SamePeople(NamedTuple):
    """`crowds`: phones that are not one customer's; `owners`: of those, the names whose phone it is all the same."""

    crowds: frozenset[str]
    owners: Mapping[str, frozenset[str]]
    notices: Sequence[Notice]


def names_by_phone(seen: Profile) -> tuple[dict[str, dict[str, int]], bool]:
    """Return the keys of names per phone with the line of each, and whether a number is a placeholder."""
    names: dict[str, dict[str, int]] = {}
    placeholders = False
    for (phone_cell, name_cell), line in seen.pairs.get(("phone", "customer"), {}).items():
        number = phone(phone_cell) if phone_cell else None
        if number and is_placeholder(number):
            placeholders = True
        elif number and not words.is_nobody(name_cell):
            names.setdefault(number, {}).setdefault(name_key(name_cell), line)
    return names, placeholders


def same_people(
    columns: Mapping[str, int],
    header: Sequence[str],
    seen: Profile,
    inquiry: Inquiry,
    known: Mapping[str, KnownPerson],
) -> SamePeople:
    """Return the phones that are not one customer's, and what the owner should know of them.

    A number of two names is asked, in the file or between it and the shop's customers in `known`; one of three and more
    names in the file is nobody's own.
    """
    names, placeholders = names_by_phone(seen)
    crowds = set()
    for number, people in names.items():
        if len(people) >= _CROWD:
            crowds.add(number)
            continue
        person = known.get(number)
        strangers = {name: line for name, line in people.items() if person and name not in person.names}
        named = [header[columns["phone"]], header[columns["customer"]]]
        answers = []
        if len(people) > 1:
            proposed = _proposed(people, people)
            code = code_of("SHARED_PHONE", number[-4:])
            answers.append(_ask(inquiry, code, proposed, named, people))
        if person and strangers and "several" not in answers and (person.asks or inquiry.answer(person.code)):
            proposed = _proposed(person.names, strangers)
            answers.append(_ask(inquiry, person.code, proposed, named, strangers))
        if "several" in answers:
            crowds.add(number)
    owners = {number: person.names for number, person in known.items() if number in crowds}
    notices = (
        [Notice(Remark.PHONE_PLACEHOLDER.value)]
        if placeholders or any(len(p) >= _CROWD for p in names.values())
        else []
    )
    return SamePeople(frozenset(crowds - owners.keys()), owners, notices)


def _ask(inquiry: Inquiry, code: str, proposed: str, named: Sequence[str], people: Mapping[str, int]) -> str:
    rows, subject = sorted(people.values()), code.partition(":")[2]
    return inquiry.ask(code, ("several", "one"), proposed=proposed, columns=named, rows=rows, values=(subject,))


def _proposed(names: Collection[str], others: Collection[str]) -> str:
    """Return "one" if a name and another one of the others are probably spellings of one, else "several"."""
    pairs = [(_words(a), _words(b)) for a in names for b in others if a != b]
    alike = any(
        set(a) <= set(b) or set(b) <= set(a) or SequenceMatcher(None, " ".join(a), " ".join(b)).ratio() >= _ALIKE
        for a, b in pairs
        if a and b
    )
    return "one" if alike else "several"


def _words(name: str) -> list[str]:
    return [word for word in name.replace(".", " ").split() if word not in _TITLES]


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
