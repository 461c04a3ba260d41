"""Second step: what each column of a table means, from names, types and arithmetic between columns, with evidence."""

from collections.abc import Mapping, Sequence

import msgspec

from write_side.sales.csv.amounts import AMOUNTS, choose_amount, choose_payment
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import IGNORED, REQUIRED, claims, field_of, rank
from write_side.sales.csv.date_columns import choose_date_format, choose_fill, choose_utc
from write_side.sales.csv.dates import DateFormat
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.findings import Evidence, Findings, surest
from write_side.sales.csv.meanings import Words, read_words
from write_side.sales.csv.money import (
    AmountFrom,
    Sample,
    agreement,
    decimals_of,
    has_three_decimals,
    is_numeric,
    product_of,
    sides,
)
from write_side.sales.csv.people import KnownPerson, choose_font, same_people, units_apart
from write_side.sales.csv.profile import Profile
from write_side.sales.csv.questions import Answers, Inquiry, Question
from write_side.sales.csv.table import NoLedger, Reason, Table
from write_side.sales.csv.values import Decimals
from write_side.sales.csv.words import SALE

SHEET = "SHEET"
SHEETS_AT_MOST = 12
_NAMED_AT_MOST = 20
_MONEY = (*AMOUNTS, "price", "discount", "order_discount", "paid", "due", "refunded")
# Columns that are understood without being read: their content is in others, or no part of the books.
_EXPLAINED = frozenset({"tax", "gross", "net", "price", "discount", "order_total", "due_date", "stock_quantity", "due"})


class Layout(msgspec.Struct, frozen=True):
    """How the rows of a table are read.

    columns: index of each field that is read; header: the file's own column names; decimals: of amounts and quantities;
    minus_side: see `signed_amount`; amount_from: where the line's total comes from; fractions: whether quantities may
    be fractions without a unit; words: what cells of closed sets mean; apart: keys of products that are sold in several
    units; crowds: phones that are not one customer's; owners: phones that belong to these names only; fill: whether
    blank cells below an order's first line ("order") or below a date ("date") belong to it; utc: whether times are UTC;
    kind: what a row is whose type says nothing; bijoy: which names were typed for the font SutonnyMJ: "all", "marked"
    for those with its signs, or none.
    """

    columns: dict[str, int]
    header: list[str]
    date_format: DateFormat
    delimiter: str = ","
    decimals: Decimals = "unproven"
    minus_side: str = "c"
    amount_from: AmountFrom = "amount"
    fractions: bool = False
    words: Words = msgspec.field(default_factory=Words)
    apart: frozenset[str] = frozenset()
    crowds: frozenset[str] = frozenset()
    owners: Mapping[str, frozenset[str]] = {}
    fill: str = ""
    utc: bool = False
    kind: str = SALE
    bijoy: str = ""
    evidence: dict[str, Evidence] = {}
    notices: tuple[Notice, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def fields(self) -> list[str]:
        """The fields in the order of their columns in the file."""
        return sorted(self.columns, key=self.columns.__getitem__)


def insist_on_columns(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, list[int]]:
    """Return the columns that may hold each field, by their names; raises NoLedger for missing and doubled ones."""
    found = claims(header, mapping)
    if "quantity" not in found and "stock_quantity" in found:
        found["quantity"] = found.pop("stock_quantity")
    if "amount" not in found:
        other = next((field for field in ("net", "price", "gross", "order_total") if field in found), None)
        if other is None:
            found.pop("amount", None)
    amounts = any(field in found for field in (*AMOUNTS, "price"))
    wanted = {field: field.capitalize() for field in REQUIRED if field != "amount" or not amounts} | dict(mapping)
    missing = [name for field, name in wanted.items() if field not in found]
    if "Quantity" in missing and amounts and "date" in found and _is_money_only(found):
        raise NoLedger(Reason.NO_PRODUCTS, missing=missing, found=list(header[:_NAMED_AT_MOST]))
    if missing:
        raise NoLedger(Reason.MISSING_COLUMNS, missing=missing, found=list(header[:_NAMED_AT_MOST]))
    for rivals in found.values():
        surest(rivals, header)
    return found


def understand(
    table: Table,
    seen: Profile,
    mapping: Mapping[str, str],
    answers: Answers,
    known: Answers,
    people: Mapping[str, KnownPerson],
) -> Layout:
    """Return the layout of a table; raises NoLedger.

    mapping: the owner's choice of columns; answers: the owner's answers by question; known: answers to the questions of
    an earlier ledger of the same layout, which are proposed; people: the shop's customers by their phones.
    Open questions are in the layout; it is read as proposed.
    """
    insist_on_columns(table.header, mapping)
    if not seen.rows:
        raise NoLedger(Reason.HEADER_ONLY, found=table.header)
    return _Understanding(table, seen, mapping, Inquiry(answers, known), people).layout()


class _Understanding:
    """Settles the columns of a table one after the other."""

    def __init__(
        self,
        table: Table,
        seen: Profile,
        mapping: Mapping[str, str],
        inquiry: Inquiry,
        people: Mapping[str, KnownPerson],
    ) -> None:
        self._table, self._seen, self._mapping, self._inquiry, self._people = table, seen, mapping, inquiry, people
        self._known = Findings(table.header, insist_on_columns(table.header, mapping), seen, mapping, inquiry)
        self._header, self._found, self._columns = table.header, self._known.found, self._known.columns
        self._notices = self._known.notices

    def _ask_sheet(self) -> None:
        """Ask which sheet to read where several hold a ledger, and name those that are not read."""
        sheets = self._table.sheets
        if len(sheets) <= 1 or self._table.sheet not in sheets:
            return
        others = tuple(name for name in sheets if name != self._table.sheet)
        self._known.note(Remark.OTHER_SHEETS, *others[:_NAMED_AT_MOST])
        choices = [f"sheet_{number}" for number in range(1, min(len(sheets), SHEETS_AT_MOST) + 1)]
        proposed = f"sheet_{sheets.index(self._table.sheet) + 1}"
        if not self._inquiry.answer(SHEET) and proposed in choices:
            self._inquiry.ask(SHEET, choices, proposed=proposed, values=sheets[:SHEETS_AT_MOST])

    def layout(self) -> Layout:
        known = self._known
        self._ask_sheet()
        self._choose_product()
        self._choose_quantity()
        decimals = self._proven_decimals(self._decimals())
        sample = Sample(self._seen, decimals, self._columns["product"])
        amount_from = choose_amount(known, sample)
        payments = choose_payment(known, sample)
        meanings = read_words(self._columns, self._header, self._seen, self._inquiry, payments)
        known.drop(*meanings.unused)
        date_format = choose_date_format(known)
        fill = choose_fill(known)
        if any(row[self._columns["stock"]].strip() for row in self._seen.sample if "stock" in self._columns):
            known.note(Remark.COUNTS_ASSUMED, known.name_of("stock"))
        self._name_unread(meanings.unused)
        same = same_people(self._columns, self._header, self._seen, self._inquiry, self._people)
        apart, more = units_apart(self._seen)
        return Layout(
            columns=self._columns,
            header=self._header,
            date_format=date_format,
            delimiter=self._table.delimiter,
            decimals=decimals,
            minus_side=sides(self._seen.values.get(self._columns.get("amount", -1), {})),
            amount_from=amount_from,
            fractions=self._fractions(),
            words=meanings.words,
            apart=apart,
            crowds=same.crowds,
            owners=same.owners,
            fill=fill,
            utc=choose_utc(known),
            bijoy=choose_font(known),
            evidence={field: known.evidence[field] for field in self._columns if field in known.evidence},
            notices=tuple(
                dict.fromkeys((*self._table.notices, *self._notices, *meanings.notices, *same.notices, *more))
            ),
            questions=tuple(self._inquiry.questions),
        )

    def _choose_product(self) -> None:
        """Read names, not numbers: of several columns the first by name that is no column of numbers."""
        rivals = sorted(self._found["product"], key=lambda column: rank(self._header[column]))
        worded = [column for column in rivals if not is_numeric(self._seen.values[column])]
        filled = [column for column in worded if any(value.strip() for value in self._seen.values[column])]
        if "product" not in self._mapping and filled and filled[0] != self._columns["product"]:
            self._known.take("product", filled[0], "EVIDENCE_NUMBERS", self._header[self._columns["product"]])
        names = {value for value in self._seen.values[self._columns["product"]] if value.strip()}
        lost = sum(1 for value in names if set(value) <= set("? ") and "??" in value)
        if lost and lost * 2 >= len(names):
            raise NoLedger(Reason.TEXT_LOST, found=self._header)

    def _choose_quantity(self) -> None:
        """A quantity in the unit of the stock is no count of the stock where there is a column of units."""
        if "stock_quantity" not in self._columns:
            return
        column = self._columns.pop("stock_quantity")
        if "unit" not in self._columns and "stock" not in self._columns:
            self._known.take("stock", column)

    def _decimals(self) -> Decimals:
        """Return the decimals that the columns of numbers prove together."""
        numbers = {
            field: self._seen.values[column]
            for field, column in self._columns.items()
            if field in (*_MONEY, "quantity") and column in self._seen.values
        }
        if self._table.format in {"xlsx", "xls", "ods"}:
            return "point"  # cells hold numbers, not texts
        proofs = {field: decimals_of(values) for field, values in numbers.items()}
        comma = any(found[0] for found in proofs.values())
        point = any(found[1] for found in proofs.values())
        either = [field for field, found in proofs.items() if found[2]]
        if not comma and not point and either and self._table.delimiter == ";":
            names = [self._header[self._columns[field]] for field in either]
            comma = (
                self._inquiry.ask("DECIMAL_COMMA", ("decimal", "thousands"), proposed="decimal", columns=names)
                == "decimal"
            )
        if comma and not point:
            self._notices.append(Notice(Remark.READ_DECIMAL_COMMA.value))
            return "comma"
        return "point" if point and not comma else "unproven"

    def _proven_decimals(self, decimals: Decimals) -> Decimals:
        """Return a point where three digits behind it are decimals, since quantity by price is the amount only then."""
        three = any(
            has_three_decimals(self._seen.values[self._columns[f]]) for f in ("quantity", *_MONEY) if f in self._columns
        )
        price, amount = self._columns.get("price"), self._columns.get("amount", self._columns.get("net"))
        if decimals != "unproven" or not three or price is None or amount is None:
            return decimals
        tried = Sample(self._seen, "point", self._columns["product"])
        found = product_of(tried, self._columns["quantity"], price, self._columns.get("discount"))
        return "point" if agreement(found, tried.paisa(amount)).proven else decimals

    def _fractions(self) -> bool:
        """Return whether quantities are fractions without a unit saying so, as tills write them: 2.000, 0.750."""
        column = self._columns["quantity"]
        cells = [row[column].strip() for row in self._seen.sample if row[column].strip()]
        return len(cells) > 1 and all("." in cell or "," in cell for cell in cells)

    def _name_unread(self, unused: Sequence[str]) -> None:
        """Name the columns that are not read; not those that are understood without it."""
        read = set(self._columns.values())
        left_out = [
            (name, field_of(name))
            for column, name in enumerate(self._header)
            if name and column not in read and loosely(name) not in IGNORED
        ]
        unknown = tuple(name for name, field in left_out if field is None or field in unused)[:_NAMED_AT_MOST]
        rivals = tuple(name for name, field in left_out if field and field not in unused and field not in _EXPLAINED)
        for remark, names in ((Remark.UNKNOWN_COLUMNS, unknown), (Remark.RIVAL_COLUMNS, rivals[:_NAMED_AT_MOST])):
            if names:
                self._notices.append(Notice(remark.value, names))


def _is_money_only(found: Mapping[str, Sequence[int]]) -> bool:
    return ("product" not in found and "receipt" in found) or not found.keys().isdisjoint({"paid", "due"})
