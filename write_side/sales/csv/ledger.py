"""A ledger read in three steps: records, layout, rows; once over the whole file, as often as wanted."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from write_side.sales.csv.encoding import head_of
from write_side.sales.csv.layout import SHEET, Layout, understand
from write_side.sales.csv.payments import CREDIT
from write_side.sales.csv.people import KnownPerson, KnownPhones, names_by_phone, nobody_known
from write_side.sales.csv.profile import Profile, profile
from write_side.sales.csv.questions import Answers, Choice, Question, Sums
from write_side.sales.csv.records import text_table
from write_side.sales.csv.row_reader import RowReader
from write_side.sales.csv.rows import Item, LedgerRow, Mark
from write_side.sales.csv.table import Chunks, Table, kept, without_report_columns
from write_side.sales.csv.whole_names import with_whole_names
from write_side.sales.csv.words import RETURN, SALE
from write_side.sales.csv.workbook import is_workbook, workbook_table


class Ledger(NamedTuple):
    """A file whose layout is understood, by the profile `seen`; `answers` and `mapping` are the owner's.

    people: the shop's customers by those of their phones that are in the file.
    """

    table: Table
    layout: Layout
    seen: Profile
    answers: Answers
    mapping: Mapping[str, str]
    people: Mapping[str, KnownPerson]

    @property
    def rows(self) -> int:
        """The records that are not blank."""
        return self.seen.rows

    def reader(self, now: dt.datetime, mark: Mark, *, former: bool = False) -> RowReader:
        """Return a reader of the rows, which knows afterwards what else they say; for `former` see RowReader."""
        orders = None
        if self.layout.words.payment_from == "orders":
            gathering = RowReader(self.layout, now, mark)
            for _ in gathering.read_all(self.table.records()):
                pass
            orders = gathering.payments.gathered
        return RowReader(self.layout, now, mark, former=former, orders=orders)

    def items(self, reader: RowReader) -> Iterator[Item]:
        """Yield one item for each record that is not blank, in the file's order; the same ones every time."""
        items = reader.read_all(self.table.records())
        return map(self._with_own_phone, items) if self.layout.owners else items

    def _with_own_phone(self, item: Item) -> Item:
        """Return a row without a phone that is another customer's."""
        if not isinstance(item, LedgerRow) or item.customer_key in self.layout.owners.get(
            item.phone or "", {None, item.customer_key}
        ):
            return item
        return msgspec.structs.replace(item, phone=None)


def open_table(chunks: Chunks, mapping: Mapping[str, str], sheet: str = "") -> Table:
    """Return the table in a file, whose content says what format it is in; for `sheet` see `workbook_table`.

    Raises NoLedger.
    """
    head = head_of(chunks())
    if is_workbook(head):
        return kept(with_whole_names(without_report_columns(workbook_table(b"".join(chunks()), mapping, sheet))))
    return with_whole_names(text_table(chunks, mapping))


def open_ledger(
    chunks: Chunks,
    *,
    answers: Answers | None = None,
    mapping: Mapping[str, str] | None = None,
    known: Answers | None = None,
    phones: KnownPhones = nobody_known,
) -> Ledger:
    """Return a stored file as a ledger whose layout is settled over all its rows.

    chunks: reopens the file on each call and yields its bytes. answers: the owner's, by question; mapping: the owner's
    choice of columns; known: answers to earlier ledgers of the layout;
    phones: finds the shop's customers. Raises NoLedger, TooManyRows.
    """
    table = open_table(chunks, mapping or {}, (answers or {}).get(SHEET, ""))
    seen = profile(table, mapping or {})
    numbers = names_by_phone(seen)[0].keys()
    people = phones(numbers) if numbers else {}
    layout = understand(table, seen, mapping or {}, answers or {}, known or {}, people)
    return Ledger(table, layout, seen, answers or {}, mapping or {}, people)


def sums_of(items: Iterable[Item]) -> Sums:
    """Return what the rows of a ledger add up to."""
    revenue = returns = received = owed = expenses = 0
    for item in items:
        if not isinstance(item, LedgerRow):
            continue
        on_credit = item.payment == CREDIT
        paid = item.received if item.received is not None else 0 if on_credit else item.paisa
        if item.kind == SALE:
            revenue += item.paisa
            received += paid
            owed += item.paisa - paid
        elif item.kind == RETURN:
            returns += item.paisa
            received -= paid
            owed -= item.paisa - paid
        else:
            expenses += item.paisa
    return Sums(revenue, returns, received, owed, expenses)


# Answers to these change who is who, not what the ledger adds up to.
_WITHOUT_MONEY = frozenset({"SHARED_PHONE", "KNOWN_PHONE"})


def weighed_questions(ledger: Ledger, now: dt.datetime, mark: Mark, sums: Sums | None = None) -> list[Question]:
    """Return the open questions of a ledger with what it would add up to for each answer.

    sums: what it adds up to with the proposed answers, if that is known. The file is read once for each other answer
    that is about money.
    """
    if not ledger.layout.questions:
        return []
    as_proposed = sums or sums_of(ledger.items(ledger.reader(now, mark)))
    found = []
    for question in ledger.layout.questions:
        about_money = question.kind not in _WITHOUT_MONEY
        choices = []
        for choice in question.choices:
            sums_then: Sums | None = as_proposed
            if question.kind == SHEET and not choice.proposed:
                sums_then = None  # nothing is known of another sheet
            elif about_money and not choice.proposed:
                sums_then = _sums_with(ledger, question.code, choice.value, now, mark)
            choices.append(Choice(choice.value, choice.proposed, sums_then))
        found.append(msgspec.structs.replace(question, choices=tuple(choices)))
    return found


def _sums_with(ledger: Ledger, code: str, answer: str, now: dt.datetime, mark: Mark) -> Sums:
    """Return what the ledger adds up to with one more answer, the other questions as proposed."""
    proposed = {question.code: question.proposed for question in ledger.layout.questions}
    answers = {**ledger.answers, **proposed, code: answer}
    layout = understand(ledger.table, ledger.seen, ledger.mapping, answers, {}, ledger.people)
    other = ledger._replace(layout=layout)
    return sums_of(other.items(other.reader(now, mark)))
