"""How a row was paid: by the words of its cells, by amounts paid and owed, or by its part of what an order was paid."""

from write_side.sales.csv import words
from write_side.sales.csv.faults import BadCell, Fault, LeftOut
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.meanings import LEAVE_OUT
from write_side.sales.csv.payments import CREDIT, Settled, settled
from write_side.sales.csv.row_cells import RawRow, RowCells
from write_side.sales.csv.rows import BadField, LeaveOut
from write_side.sales.csv.words import RETURN, SALE


class Orders:
    """What was paid and is owed of each order, and what its lines add up to, all in paisa; by receipt and kind."""

    def __init__(self) -> None:
        """Start with no orders."""
        self.lines: dict[tuple[str, str], int] = {}
        self.paid: dict[tuple[str, str], int | None] = {}
        self.owed: dict[tuple[str, str], int | None] = {}

    def add(self, key: tuple[str, str], paisa: int, paid: int | None, owed: int | None) -> None:
        """Take a line into account; of what was paid and is owed the first that is said counts."""
        self.lines[key] = self.lines.get(key, 0) + paisa
        for known, said in ((self.paid, paid), (self.owed, owed)):
            if known.get(key) is None:
                known[key] = None if said is None else abs(said)

    def paid_at_once(self, key: tuple[str, str]) -> int | None:
        """Return what was paid of an order, None where the lines are not what was paid and is owed."""
        whole, paid, owed = self.lines[key], self.paid[key], self.owed[key]
        if paid is None and owed is None:
            return whole
        paid = whole - (owed or 0) if paid is None else paid
        return None if paid > whole or abs(paid + (whole - paid if owed is None else owed) - whole) > 1 else paid


class RowPayments:
    """Finds how the rows of one file were paid."""

    def __init__(self, layout: Layout, cells: RowCells, orders: Orders | None) -> None:
        """Read cells by `cells`; without `orders` they are gathered, where the layout has payments of orders."""
        self._layout, self._cells = layout, cells
        self._orders = orders
        self.gathered = Orders()
        self._left: dict[tuple[str, str], int | None] = {}

    def is_on_credit(self, at: RawRow) -> bool:
        """Return whether a status says that the sale is on credit; raises LeaveOut for rows that are no entries."""
        money = self._cells.money
        if at.cancelled_at.strip():
            raise LeaveOut(LeftOut.CANCELLED_ROW, "cancelled_at")
        meaning = self._cells.statuses[at.status] if at.status else SALE
        if at.refunded and money[at.refunded]:
            raise BadField(Fault.PARTLY_REFUNDED, "refunded")
        if at.order_discount and money[at.order_discount] and not (at.discount and money[at.discount]):
            raise BadField(Fault.ORDER_DISCOUNT, "order_discount")
        if meaning == words.PARTIAL:
            return self._partial() == CREDIT
        return meaning == words.ON_CREDIT

    def _partial(self) -> str:
        """Return how a payment that is called partial counts; raises LeaveOut if it does not."""
        if self._layout.words.partial == LEAVE_OUT:
            raise LeaveOut(LeftOut.LEFT_OUT_BY_ANSWER, "payment")
        return self._layout.words.partial

    def paid(self, at: RawRow, kind: str, paisa: int, *, on_credit: bool) -> Settled:
        """Return how a row was paid; raises BadField where its parts are not the whole."""
        how, columns = self._cells.payments[at.payment], self._layout.words.payment_from
        got = self._cells.money[at.paid] if columns in {"paid", "paid_due"} else None
        owed = self._cells.money[at.due] if columns in {"due", "paid_due"} else None
        if columns == "orders" and kind in {SALE, RETURN}:
            got = self._part_of_order(at, kind, paisa)
        if on_credit and got is None and owed is None and how.parts is None:
            return Settled(CREDIT, None, CREDIT)
        if how.partial and got is None and owed is None:
            method = self._partial()
            return Settled(method, None, method)
        if kind not in {SALE, RETURN}:
            return Settled(how.method, how.raw, how.mark)
        if kind == SALE and columns in {"paid", "due", "paid_due"} and self._is_overpaid(at, paisa):
            raise BadField(Fault.OVERPAID, "due")
        try:
            found = settled(how, paisa, got, owed)
        except BadCell as bad:
            field = "paid" if got is not None else "due" if owed is not None else "payment"
            raise BadField(bad.fault, field) from None
        if kind == RETURN and found.received is not None and found.received != paisa:
            raise BadField(Fault.RETURN_PAID_IN_PART, "paid" if got is not None else "due")
        return found

    def _is_overpaid(self, at: RawRow, paisa: int) -> bool:
        """Return whether more was paid than a sale came to, and what is owed is below zero by just that."""
        try:
            paid, owed = self._cells.money[at.paid], self._cells.money[at.due]
        except BadCell:
            return False
        return paid is not None and owed is not None and owed < 0 and abs(paid + owed - paisa) <= 1

    def _part_of_order(self, at: RawRow, kind: str, paisa: int) -> int:
        """Return what was paid of a line: an order's lines are paid one after the other, until nothing is left."""
        key = (at.receipt.strip(), kind)
        if self._orders is None:
            self.gathered.add(key, paisa, self._cells.money[at.paid], self._cells.money[at.due])
            return paisa
        if key not in self._left:
            self._left[key] = self._orders.paid_at_once(key)
        left = self._left[key]
        if left is None:
            raise BadField(Fault.PAID_DUE_MISMATCH, "paid" if "paid" in self._layout.columns else "due")
        self._left[key] = left - min(left, paisa)
        return min(left, paisa)
