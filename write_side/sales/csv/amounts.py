"""Which column has the total of a line, and which say how much of it was paid."""

from collections.abc import Sequence

from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import rank
from write_side.sales.csv.faults import Remark
from write_side.sales.csv.findings import Findings
from write_side.sales.csv.meanings import PaymentFrom
from write_side.sales.csv.money import AmountFrom, Sample, added_up, agreement, is_numeric, is_of_orders, product_of
from write_side.sales.csv.table import NoLedger, Reason

AMOUNTS = ("net", "amount", "gross", "order_total")
_ONE = 1_000


def choose_amount(known: Findings, sample: Sample) -> AmountFrom:
    """Settle on the column of the line's total: the first by name that is not the whole order's.

    One that is quantity by price goes first; where no column is, the owner says whether to trust the column.
    """
    price, discount = known.columns.get("price"), known.columns.get("discount")
    made = None if price is None else product_of(sample, known.columns["quantity"], price, discount)
    columns = _lines_totals(known, sample, made)
    if not columns:
        if made is None or price is None:
            raise NoLedger(Reason.MISSING_COLUMNS, missing=["Amount"], found=known.header)
        return _amount_of_price(known, sample, price, known.columns.get("receipt"))
    chosen = columns[0]
    if made is not None and price is not None and "amount" not in known.mapping:
        proven = next((column for column in columns if _is_product(known, sample, column, made)), None)
        if proven is not None:
            chosen = proven
            known.take("amount", chosen, "EVIDENCE_PRICE", known.header[price])
            return "amount"
        if agreement(made, sample.paisa(chosen)).disproven and _is_distrusted(known, chosen, price):
            return _amount_of_price(known, sample, price, None)
    gross = chosen in known.found.get("gross", ()) and discount is not None
    if "amount" not in known.mapping:
        known.take("amount", chosen)
    return "gross" if gross else "amount"


def _lines_totals(known: Findings, sample: Sample, made: Sequence[int | None] | None) -> list[int]:
    """Return the columns that may hold the line's total, the surest first, without those of whole orders."""
    if "amount" in known.mapping:
        return [known.columns["amount"]]
    receipt = known.columns.get("receipt")
    named = [
        column
        for field in AMOUNTS
        for column in sorted(known.found.get(field, ()), key=lambda column: rank(known.header[column]))
    ]
    if receipt is None or (made is None and len(named) == 1):
        return named
    return [
        column
        for column in named
        if _is_product(known, sample, column, made) or not is_of_orders(sample, column, receipt)
    ]


def _is_product(known: Findings, sample: Sample, column: int, made: Sequence[int | None] | None) -> bool:
    """Return whether a column is quantity by price less the discount, with the tax or without it."""
    if made is None:
        return False
    amounts = sample.paisa(column)
    tax = known.columns.get("tax")
    if agreement(made, amounts).proven:
        return True
    if tax is None:
        return False
    taxed = [None if a is None else a + (b or 0) for a, b in zip(made, sample.paisa(tax), strict=True)]
    return agreement(taxed, amounts).proven


def _is_distrusted(known: Findings, column: int, price: int) -> bool:
    names = [known.header[column], known.name_of("quantity"), known.header[price]]
    choices = ("column", "price")
    return known.inquiry.ask("AMOUNT_UNCLEAR", choices, proposed="column", columns=names, values=names) == "price"


def _amount_of_price(known: Findings, sample: Sample, price: int, receipt: int | None) -> AmountFrom:
    """Multiply quantity and price, unless the price is the line's: the orders' sums tell, else the owner."""
    name, quantity = known.header[price], known.columns["quantity"]
    sold = [thousandths for thousandths in sample.quantities(quantity) if thousandths]
    total = None if receipt is None else _order_column(known.header)
    answer = "unit"
    if any(abs(thousandths) != _ONE for thousandths in sold) and total is not None and receipt is not None:
        orders = _order_sums(sample, total, receipt)
        per_unit = added_up(sample, product_of(sample, quantity, price, None), receipt)
        per_line = added_up(sample, sample.paisa(price), receipt)
        fits = sum(1 for key, paisa in orders.items() if abs(per_unit.get(key, 0) - paisa) <= 1)
        line_fits = sum(1 for key, paisa in orders.items() if abs(per_line.get(key, 0) - paisa) <= 1)
        answer = "line" if line_fits > fits else "unit"
    elif loosely(name) in {"price", "দাম"} and any(abs(thousandths) != _ONE for thousandths in sold):
        answer = known.inquiry.ask("PRICE_OF", ("unit", "line"), proposed="unit", columns=[name])
    if answer == "line":
        known.take("amount", price)
        return "amount"
    known.take("amount", price, "EVIDENCE_CALCULATED", known.header[quantity], name)
    known.note(Remark.AMOUNT_CALCULATED, known.header[quantity], name)
    return "price"


def _order_column(header: Sequence[str]) -> int | None:
    """Return the column that has the sum of an order's lines, before delivery and discounts of the whole order."""
    names = {loosely(name): column for column, name in enumerate(header)}
    known = (names.get(name) for name in ("subtotal", "ordersubtotalamount", "ordersubtotal"))
    return next((column for column in known if column is not None), None)


def _order_sums(sample: Sample, total: int, receipt: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, paisa in zip(sample.cells(receipt), sample.paisa(total), strict=True):
        if key and paisa is not None:
            sums.setdefault(key, paisa)
    return sums


def choose_payment(known: Findings, sample: Sample) -> PaymentFrom:
    """Find out whether columns tell how much was paid, and how much is owed."""
    payment = known.columns.get("payment")
    if payment is not None and _is_money(known, payment):
        known.drop("payment")
        if "paid" not in known.columns:
            known.take("paid", payment)
    amount, paid, due = (known.columns.get(field) for field in ("amount", "paid", "due"))
    if amount is None or (paid is None and due is None):
        return ""
    total = sample.paisa(amount)
    rest = sample.paisa(due) if due is not None else [0] * len(total)
    got = sample.paisa(paid) if paid is not None else [0] * len(total)
    added = [_whole(a, b, of) for a, b, of in zip(got, rest, total, strict=True)]
    if paid is not None and due is not None and agreement(added, total).proven:
        for field in ("paid", "due"):
            known.take(field, known.columns[field], "EVIDENCE_PAID_DUE", known.header[paid], known.header[due])
        return "paid_due"
    return "orders" if _are_of_orders(known, sample, total, paid, due) else _one_sided(known, sample, total, paid, due)


def _whole(paid: int | None, owed: int | None, total: int | None) -> int | None:
    """Return what was paid and is owed together: with their signs where that is the total, as where more was paid."""
    if paid is None and owed is None:
        return None
    signed = (paid or 0) + (owed or 0)
    return signed if total is not None and abs(signed - total) <= 1 else abs(paid or 0) + abs(owed or 0)


def _are_of_orders(
    known: Findings, sample: Sample, total: Sequence[int | None], paid: int | None, due: int | None
) -> bool:
    """Return whether what was paid and is owed is given per order, on one or each of its lines, and fits their sums."""
    receipt = known.columns.get("receipt")
    columns = [column for column in (paid, due) if column is not None]
    if receipt is None or not all(is_of_orders(sample, column, receipt) for column in columns):
        return False
    sums = added_up(sample, [None if paisa is None else abs(paisa) for paisa in total], receipt)
    parts = [_order_sums(sample, column, receipt) for column in columns]
    orders = set.union(*(set(part) for part in parts))
    whole = [sums.get(order, 0) for order in orders]
    parts_of = [sum(abs(part.get(order, 0)) for part in parts) for order in orders]
    if len(columns) == 1:
        return all(part <= of for part, of in zip(parts_of, whole, strict=True))
    return agreement(parts_of, whole).proven


def _is_money(known: Findings, payment: int) -> bool:
    """Return whether a column called just Payment holds what was paid, not how."""
    named = loosely(known.header[payment]) in {"payment", "পেমেন্ট"}
    return named and "payment" not in known.mapping and is_numeric(known.seen.values[payment])


def _one_sided(
    known: Findings, sample: Sample, total: Sequence[int | None], paid: int | None, due: int | None
) -> PaymentFrom:
    """With one column that fits, or two that do not add up, the owner says what they mean."""
    for field, column in (("paid", paid), ("due", due)):
        if column is None:
            continue
        fits = [abs(a) <= abs(b) for a, b in zip(sample.paisa(column), total, strict=True) if a is not None and b]
        other = due if field == "paid" else paid
        if fits and all(fits) and other is None:
            name = known.header[column]
            answer = known.inquiry.ask(f"PART_PAID:{field}", (field, "ignore"), proposed=field, columns=[name])
            return "paid" if answer == "paid" else "due" if answer == "due" else _without_paid(known)
    columns = {field: column for field, column in (("paid", paid), ("due", due)) if column is not None}
    names = [known.header[column] for column in columns.values()]
    answer = known.inquiry.ask("PAID_UNCLEAR", ("ignore", *columns), proposed="ignore", columns=names)
    return answer if answer in columns else _without_paid(known)  # type: ignore[return-value]


def _without_paid(known: Findings) -> PaymentFrom:
    known.drop("paid", "due")
    return ""
