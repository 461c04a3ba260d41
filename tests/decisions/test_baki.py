import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules.baki import (
    NOBODY,
    Account,
    Due,
    Entry,
    Lot,
    Parameters,
    ageing,
    expectations,
    expected_inflows,
    settled,
    usual_days,
)

TODAY = dt.date(2025, 11, 3)
TOMORROW = dt.date(2025, 11, 4)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days)


def test_the_oldest_sale_is_paid_first() -> None:
    entries = [Entry(ago(30), 500, 0), Entry(ago(20), 300, 0), Entry(ago(10), 0, 600), Entry(ago(5), 200, 0)]
    account = settled(entries)
    assert account.lots == [Lot(ago(20), 200), Lot(ago(5), 200)]
    assert account.repaid == Counter({20: 500, 10: 100})
    assert (account.owed, account.advance) == (400, 0)


def test_more_than_is_owed_is_an_advance_that_pays_the_next_sale() -> None:
    paid = settled([Entry(ago(9), 500, 0), Entry(ago(8), 0, 700)])
    assert (paid.lots, paid.advance) == ([], 200)
    bought = settled([Entry(ago(9), 500, 0), Entry(ago(8), 0, 700), Entry(ago(1), 250, 0)])
    assert (bought.lots, bought.advance) == ([Lot(ago(1), 50)], 0)


def test_a_return_reduces_the_debt_but_is_no_payment() -> None:
    account = settled([Entry(ago(9), 500, 0), Entry(ago(2), -200, 0)])
    assert (account.lots, account.repaid) == ([Lot(ago(9), 300)], Counter())


def test_an_opening_debt_is_paid_first_and_has_no_date() -> None:
    account = settled([Entry(ago(9), 500, 0), Entry(ago(2), 0, 150)], carried=100)
    assert account.lots == [Lot(ago(9), 450)]
    assert account.repaid == Counter({7: 50})
    assert settled([Entry(ago(9), 500, 0)], carried=-100).lots == [Lot(ago(9), 400)]
    assert settled([], carried=100).lots == [Lot(None, 100)]


def test_usual_is_when_half_of_the_money_had_come_back() -> None:
    assert usual_days({3: 100, 10: 100, 40: 199}) == 10
    assert usual_days({3: 100, 10: 1, 40: 102}) == 40
    assert usual_days({}) is None


def test_money_is_expected_after_the_customers_days_then_the_shops_then_thirty() -> None:
    prompt = Account([Lot(ago(2), 100)], repaid=Counter({5: 900}))
    slow = Account([Lot(ago(2), 100)], repaid=Counter({20: 100}))
    new = Account([Lot(ago(2), 100), Lot(ago(40), 50)])
    found = expectations({1: prompt, 2: slow, 3: new}, TODAY)
    assert found[1] == [Due(1, ago(2), 100, ago(-3))]
    assert found[2] == [Due(2, ago(2), 100, ago(-18))]
    # Half of the shop's money was back after 5 days; what is overdue may take as long again.
    assert [due.expected_on for due in found[3]] == [ago(-3), ago(-5)]
    assert [due.expected_on for due in expectations({3: new}, TODAY)[3]] == [ago(-28), ago(-30)]
    at_once = Account([Lot(ago(2), 100)], repaid=Counter({0: 900}))
    assert [due.expected_on for due in expectations({4: at_once}, TODAY)[4]] == [TOMORROW]
    assert expectations({4: Account([], 50)}, TODAY) == {}


def test_long_overdue_and_anonymous_debts_are_not_expected() -> None:
    lots = [Lot(ago(90), 1), Lot(ago(91), 2), Lot(None, 3)]
    found = expectations({1: Account(lots), NOBODY: Account([Lot(ago(1), 4)])}, TODAY, Parameters(30, 60))
    assert [due.expected_on for due in found[1]] == [ago(-30), None, None]
    assert [due.expected_on for due in found[NOBODY]] == [None]
    assert expected_inflows([*found[1], *found[NOBODY]]) == {ago(-30): 1}


def test_every_age_has_a_bucket() -> None:
    ages = {0: 1, 7: 2, 8: 4, 30: 8, 31: 16, 60: 32, 61: 64, 4000: 128}
    dues = [Due(1, ago(age), paisa, None) for age, paisa in ages.items()] + [Due(1, None, 256, None)]
    assert ageing(dues, TODAY) == {"0-7": 3, "8-30": 12, "31-60": 48, "60+": 448}


entries = st.lists(
    st.builds(Entry, st.dates(ago(60), TODAY), st.integers(-5_000, 10_000), st.integers(0, 10_000)), max_size=20
)


@given(entries, st.integers(-20_000, 20_000))
def test_no_paisa_is_lost_and_no_debt_is_negative(entries: list[Entry], carried: int) -> None:
    account = settled(entries, carried)
    lent, paid = sum(entry.lent for entry in entries), sum(entry.paid for entry in entries)
    assert carried + lent - paid == account.owed - account.advance
    assert all(lot.paisa > 0 for lot in account.lots)
    assert not (account.lots and account.advance)
    assert all(days >= 0 and paisa > 0 for days, paisa in account.repaid.items())
    assert settled(reversed(entries), carried) == account
    dues = expectations({1: account}, TODAY).get(1, [])
    assert sum(due.paisa for due in dues) == account.owed == sum(ageing(dues, TODAY).values())
    assert all(due.expected_on is None or due.expected_on > TODAY for due in dues)
