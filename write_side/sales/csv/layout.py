"""Second step: what each column of a table means, from names, types and arithmetic between columns, with evidence."""

from collections.abc import Mapping, Sequence

import msgspec

from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import IGNORED, REQUIRED, claims, field_of, rank
from write_side.sales.csv.dates import AmbiguousDates, DateFormat
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.meanings import PaymentFrom, Words, read_words
from write_side.sales.csv.money import (
    AmountFrom,
    Sample,
    added_up,
    agreement,
    decimals_of,
    has_three_decimals,
    is_numeric,
    is_of_orders,
    product_of,
    sides,
)
from write_side.sales.csv.people import same_people, units_apart
from write_side.sales.csv.profile import Profile
from write_side.sales.csv.questions import Answers, Inquiry, Question
from write_side.sales.csv.records import NoLedger, Reason, Table
from write_side.sales.csv.values import Decimals

_NAMED_AT_MOST = 20
_ONE = 1_000
# Dates are written once a day if at least one in this many cells of the column is blank.
_ONE_IN = 20
_AMOUNTS = ("net", "amount", "gross", "order_total")
_MONEY = (*_AMOUNTS, "price", "discount", "order_discount", "paid", "due", "refunded")
# Columns that are understood without being read: their content is in others, or no part of the books.
_EXPLAINED = frozenset({"tax", "gross", "net", "price", "discount", "order_total", "due_date", "stock_quantity", "due"})


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """Why a column holds a field: a code of questions.toml with what fills it, and how sure that is, up to 1."""

    confidence: float
    code: str
    values: tuple[str, ...] = ()


class Layout(msgspec.Struct, frozen=True):
    """How the rows of a table are read.

    columns: index of each field that is read; header: the file's own column names; decimals: of amounts and quantities;
    minus_side: see `signed_amount`; amount_from: where the line's total comes from; fractions: whether quantities may
    be fractions without a unit; words: what cells of closed sets mean; apart: keys of products that are sold in several
    units; crowds: phones that are not one customer's; fill: whether blank cells below an order's first line ("order")
    or below a date ("date") belong to it; utc: whether times are UTC.
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
    fill: str = ""
    utc: bool = False
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
    amounts = any(field in found for field in (*_AMOUNTS, "price"))
    wanted = {field: field.capitalize() for field in REQUIRED if field != "amount" or not amounts} | dict(mapping)
    missing = [name for field, name in wanted.items() if field not in found]
    if "Quantity" in missing and amounts and "date" in found and _is_money_only(found):
        raise NoLedger(Reason.NO_PRODUCTS, missing=missing, found=list(header[:_NAMED_AT_MOST]))
    if missing:
        raise NoLedger(Reason.MISSING_COLUMNS, missing=missing, found=list(header[:_NAMED_AT_MOST]))
    for rivals in found.values():
        _surest(rivals, header)
    return found


def understand(table: Table, seen: Profile, mapping: Mapping[str, str], answers: Answers, known: Answers) -> Layout:
    """Return the layout of a table; raises NoLedger.

    mapping: the owner's choice of columns; answers: the owner's answers by question; known: answers to the questions of
    an earlier ledger of the same layout, which are proposed. Open questions are in the layout; it is read as proposed.
    """
    insist_on_columns(table.header, mapping)
    if not seen.rows:
        raise NoLedger(Reason.HEADER_ONLY, found=table.header)
    return _Understanding(table, seen, mapping, Inquiry(answers, known)).layout()


class _Understanding:
    """What is known of a table so far."""

    def __init__(self, table: Table, seen: Profile, mapping: Mapping[str, str], inquiry: Inquiry) -> None:
        self._table, self._seen, self._mapping, self._inquiry = table, seen, mapping, inquiry
        self._header = table.header
        self._found = insist_on_columns(table.header, mapping)
        self._columns: dict[str, int] = {}
        self._evidence: dict[str, Evidence] = {}
        self._notices = list(table.notices)
        for field, rivals in self._found.items():
            filled = [column for column in rivals if any(row[column].strip() for row in seen.sample)]
            self._take(field, _surest(filled or rivals, self._header))

    def layout(self) -> Layout:
        self._choose_product()
        self._choose_quantity()
        decimals = self._decimals()
        decimals = self._proven_decimals(decimals)
        sample = Sample(self._seen, decimals, self._columns["product"])
        amount_from = self._choose_amount(sample)
        payments = self._choose_payment(sample)
        meanings = read_words(self._columns, self._header, self._seen, self._inquiry, payments)
        self._columns = {field: column for field, column in self._columns.items() if field not in meanings.unused}
        date_format = self._date_format()
        fill = self._fill()
        self._name_unread(meanings.unused)
        phones, notices = same_people(self._columns, self._header, self._seen, self._inquiry)
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
            crowds=phones,
            fill=fill,
            utc=self._utc(),
            evidence={field: self._evidence[field] for field in self._columns if field in self._evidence},
            notices=tuple(dict.fromkeys((*self._notices, *meanings.notices, *notices, *more))),
            questions=tuple(self._inquiry.questions),
        )

    def _take(self, field: str, column: int, code: str = "", *values: str) -> None:
        self._columns[field] = column
        name = self._header[column]
        if field in self._mapping:
            self._evidence[field] = Evidence(1.0, "EVIDENCE_CHOSEN")
        elif code:
            self._evidence[field] = Evidence(0.99, code, values)
        else:
            self._evidence[field] = Evidence(0.95 if rank(name) == 0 else 0.85, "EVIDENCE_NAME", (name,))

    def _choose_product(self) -> None:
        """Read names, not numbers: of several columns the first by name that is no column of numbers."""
        rivals = sorted(self._found["product"], key=lambda column: rank(self._header[column]))
        worded = [column for column in rivals if not is_numeric(self._seen.values[column])]
        filled = [column for column in worded if any(value.strip() for value in self._seen.values[column])]
        if "product" not in self._mapping and filled and filled[0] != self._columns["product"]:
            self._take("product", filled[0], "EVIDENCE_NUMBERS", self._header[self._columns["product"]])
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
            self._take("stock", column)

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

    def _choose_amount(self, sample: Sample) -> AmountFrom:
        """Settle on the column of the line's total: the first by name that is not the whole order's.

        One that is quantity by price goes first; where no column is, the owner says whether to trust the column.
        """
        price, discount = self._columns.get("price"), self._columns.get("discount")
        made = None if price is None else product_of(sample, self._columns["quantity"], price, discount)
        columns = self._lines_totals(sample, made)
        if not columns:
            if made is None or price is None:
                raise NoLedger(Reason.MISSING_COLUMNS, missing=["Amount"], found=self._header)
            return self._amount_of_price(sample, price, self._columns.get("receipt"))
        chosen = columns[0]
        if made is not None and price is not None and "amount" not in self._mapping:
            proven = next((column for column in columns if self._is_product(sample, column, made)), None)
            if proven is not None:
                chosen = proven
                self._take("amount", chosen, "EVIDENCE_PRICE", self._header[price])
                return "amount"
            if agreement(made, sample.paisa(chosen)).disproven and self._distrusted(chosen, price):
                return self._amount_of_price(sample, price, None)
        gross = chosen in self._found.get("gross", ()) and discount is not None
        if "amount" not in self._mapping:
            self._take("amount", chosen)
        return "gross" if gross else "amount"

    def _lines_totals(self, sample: Sample, made: Sequence[int | None] | None) -> list[int]:
        """Return the columns that may hold the line's total, the surest first, without those of whole orders."""
        if "amount" in self._mapping:
            return [self._columns["amount"]]
        receipt = self._columns.get("receipt")
        named = [
            column
            for field in _AMOUNTS
            for column in sorted(self._found.get(field, ()), key=lambda column: rank(self._header[column]))
        ]
        if receipt is None or (made is None and len(named) == 1):
            return named
        return [
            column
            for column in named
            if self._is_product(sample, column, made) or not is_of_orders(sample, column, receipt)
        ]

    def _is_product(self, sample: Sample, column: int, made: Sequence[int | None] | None) -> bool:
        """Return whether a column is quantity by price less the discount, with the tax or without it."""
        if made is None:
            return False
        amounts = sample.paisa(column)
        tax = self._columns.get("tax")
        if agreement(made, amounts).proven:
            return True
        if tax is None:
            return False
        taxed = [None if a is None else a + (b or 0) for a, b in zip(made, sample.paisa(tax), strict=True)]
        return agreement(taxed, amounts).proven

    def _distrusted(self, column: int, price: int) -> bool:
        names = [self._header[column], self._header[self._columns["quantity"]], self._header[price]]
        answer = self._inquiry.ask(
            "AMOUNT_UNCLEAR", ("column", "price"), proposed="column", columns=names, values=names
        )
        return answer == "price"

    def _amount_of_price(self, sample: Sample, price: int, receipt: int | None) -> AmountFrom:
        """Multiply quantity and price, unless the price is the line's: the orders' sums tell, else the owner."""
        name, quantity = self._header[price], self._columns["quantity"]
        sold = [thousandths for thousandths in sample.quantities(quantity) if thousandths]
        total = self._order_column(receipt)
        answer = "unit"
        if any(abs(thousandths) != _ONE for thousandths in sold) and total is not None and receipt is not None:
            orders = self._order_sums(sample, total, receipt)
            per_unit = added_up(sample, product_of(sample, quantity, price, None), receipt)
            per_line = added_up(sample, sample.paisa(price), receipt)
            fits = sum(1 for key, paisa in orders.items() if abs(per_unit.get(key, 0) - paisa) <= 1)
            line_fits = sum(1 for key, paisa in orders.items() if abs(per_line.get(key, 0) - paisa) <= 1)
            answer = "line" if line_fits > fits else "unit"
        elif loosely(name) in {"price", "দাম"} and any(abs(thousandths) != _ONE for thousandths in sold):
            answer = self._inquiry.ask("PRICE_OF", ("unit", "line"), proposed="unit", columns=[name])
        if answer == "line":
            self._take("amount", price)
            return "amount"
        self._take("amount", price, "EVIDENCE_CALCULATED", self._header[quantity], name)
        self._notices.append(Notice(Remark.AMOUNT_CALCULATED.value, (self._header[quantity], name)))
        return "price"

    def _order_column(self, receipt: int | None) -> int | None:
        """Return the column that has the sum of an order's lines, before delivery and discounts of the whole order."""
        names = {loosely(name): column for column, name in enumerate(self._header)}
        known = (names.get(name) for name in ("subtotal", "ordersubtotalamount", "ordersubtotal"))
        return next((column for column in known if column is not None), None) if receipt is not None else None

    def _order_sums(self, sample: Sample, total: int, receipt: int) -> dict[str, int]:
        sums: dict[str, int] = {}
        for key, paisa in zip(sample.cells(receipt), sample.paisa(total), strict=True):
            if key and paisa is not None:
                sums.setdefault(key, paisa)
        return sums

    def _choose_payment(self, sample: Sample) -> PaymentFrom:
        """Find out whether columns tell how much was paid, and how much is owed."""
        payment = self._columns.get("payment")
        if payment is not None and self._is_money(payment):
            del self._columns["payment"]
            self._evidence.pop("payment", None)
            if "paid" not in self._columns:
                self._take("paid", payment)
        amount, paid, due = (self._columns.get(field) for field in ("amount", "paid", "due"))
        if amount is None or (paid is None and due is None):
            return ""
        total = sample.paisa(amount)
        rest = sample.paisa(due) if due is not None else [0] * len(total)
        got = sample.paisa(paid) if paid is not None else [0] * len(total)
        added = [None if a is None and b is None else abs(a or 0) + abs(b or 0) for a, b in zip(got, rest, strict=True)]
        if paid is not None and due is not None and agreement(added, total).proven:
            for field in ("paid", "due"):
                self._take(field, self._columns[field], "EVIDENCE_PAID_DUE", self._header[paid], self._header[due])
            return "paid_due"
        return self._one_sided(sample, total, paid, due)

    def _is_money(self, payment: int) -> bool:
        """Return whether a column called just Payment holds what was paid, not how."""
        named = loosely(self._header[payment]) in {"payment", "পেমেন্ট"}
        return named and "payment" not in self._mapping and is_numeric(self._seen.values[payment])

    def _one_sided(self, sample: Sample, total: Sequence[int | None], paid: int | None, due: int | None) -> PaymentFrom:
        """With one column that fits, or two that do not add up, the owner says what they mean."""
        for field, column in (("paid", paid), ("due", due)):
            if column is None:
                continue
            fits = [abs(a) <= abs(b) for a, b in zip(sample.paisa(column), total, strict=True) if a is not None and b]
            other = due if field == "paid" else paid
            if fits and all(fits) and other is None:
                answer = self._inquiry.ask(
                    f"PART_PAID:{field}", (field, "ignore"), proposed=field, columns=[self._header[column]]
                )
                return "paid" if answer == "paid" else "due" if answer == "due" else self._without_paid()
        columns = {field: column for field, column in (("paid", paid), ("due", due)) if column is not None}
        names = [self._header[column] for column in columns.values()]
        answer = self._inquiry.ask("PAID_UNCLEAR", ("ignore", *columns), proposed="ignore", columns=names)
        return answer if answer in columns else self._without_paid()  # type: ignore[return-value]

    def _without_paid(self) -> PaymentFrom:
        self._columns.pop("paid", None)
        self._columns.pop("due", None)
        return ""

    def _date_format(self) -> DateFormat:
        column = self._columns["date"]
        evidence, name = self._seen.dates[column], self._header[column]
        order = self._inquiry.answer("DATE_ORDER")
        if order in {"dmy", "mdy", "ymd"}:
            return evidence.chosen(order)  # type: ignore[arg-type]
        if evidence.half_converted:
            kept = evidence.day_first or evidence.month_first
            answer = self._inquiry.ask(
                "HALF_CONVERTED", ("swap", "keep"), proposed="swap", columns=[name], values=(kept,)
            )
            if answer == "swap":
                self._notices.append(Notice(Remark.DATES_SWAPPED.value))
            return DateFormat(evidence.judged().order, swapped=answer == "swap")
        try:
            found = evidence.judged()
        except AmbiguousDates as error:
            answer = self._inquiry.ask(
                "DATE_ORDER", error.choices, proposed="dmy", columns=[name], values=(error.example,)
            )
            return evidence.chosen(answer)  # type: ignore[arg-type]
        if found.order != "ymd":
            self._evidence["date"] = Evidence(0.99, "EVIDENCE_DATES", (evidence.day_first or evidence.month_first,))
        return found

    def _fill(self) -> str:
        """Return whether blank cells belong to the row above: an order's, or a day's."""
        date, receipt, product = self._columns["date"], self._columns.get("receipt"), self._columns["product"]
        blank = self._seen.blank[date]
        if receipt is not None:
            lower = [row for row in self._seen.sample if not row[date].strip() and row[product].strip()]
            if any(not row[receipt].strip() for row in lower) and blank:
                return "order"
            return "order" if self._repeats(receipt) else ""
        if blank > 1 and blank * _ONE_IN > self._seen.rows:
            self._notices.append(Notice(Remark.FILLED_FROM_ABOVE.value, (self._header[date], str(blank))))
            return "date"
        return ""

    def _repeats(self, receipt: int) -> bool:
        """Return whether an order's further lines repeat its number and leave other cells of the order blank."""
        above: Sequence[str] = self._header
        order = [self._columns[field] for field in ("status", "customer", "payment") if field in self._columns]
        for row in self._seen.sample:
            same = row[receipt] and row[receipt] == above[receipt]
            if same and any(above[column].strip() and not row[column].strip() for column in order):
                return True
            above = row
        return False

    def _utc(self) -> bool:
        """Ask whether times are UTC where the layout is one whose program exports them so."""
        if not any(loosely(name).startswith("orderlines") for name in self._header):
            return False
        date = self._columns["date"]
        if not any(":" in row[date] for row in self._seen.sample):
            return False
        answer = self._inquiry.ask("TIMES_IN", ("utc", "dhaka"), proposed="utc", columns=[self._header[date]])
        if answer == "utc":
            self._notices.append(Notice(Remark.READ_AS_UTC.value))
        return answer == "utc"

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


def _surest(rivals: Sequence[int], header: Sequence[str]) -> int:
    """Return the column that holds the field: of several the one whose name is surest, e.g. Amount, not Total."""
    surest = min(rank(header[index]) for index in rivals)
    best = [index for index in rivals if rank(header[index]) == surest]
    if len(best) != 1:
        raise NoLedger(Reason.DUPLICATE_COLUMN, duplicates=[header[index] for index in best])
    return best[0]


def _is_money_only(found: Mapping[str, Sequence[int]]) -> bool:
    return ("product" not in found and "receipt" in found) or not found.keys().isdisjoint({"paid", "due"})
