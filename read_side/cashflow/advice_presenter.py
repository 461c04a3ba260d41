"""Advice against a shortage of cash, with the amounts and the share of the risk it removes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.presentation.numbers import number, spoken
from shared.domain.presentation.units import taka
from shared.domain.rules.baki import NOBODY, Due
from shared.domain.rules.cash import Outlook
from shared.texts import Language, text

_AT_RISK = ("medium", "high")
# Savings are advised in steps of 5 %, from 10 to 30 %: larger ones are not realistic.
_STEP, _LEAST, _MOST = 5, 10, 30
_SOON = dt.timedelta(7)
_OLD = dt.timedelta(30)


def advice(outlook: Outlook, dues: Sequence[Due], today: dt.date, language: Language) -> list[dict[str, Any]]:
    """Return advice, the most effective first; none without a risk or without anything to save or collect."""
    found = [_reduce_expenses(outlook, language), _accelerate_collections(outlook, dues, today, language)]
    return sorted(filter(None, found), key=lambda item: -(item["impact"] or 0))


def _reduce_expenses(outlook: Outlook, language: Language) -> dict[str, Any] | None:
    outflows = sum(step.flow.outflows for step in outlook.steps)
    if outlook.level not in _AT_RISK or not outflows:
        return None
    worst = min(outlook.steps, key=lambda step: step.balance)
    short = max(0, outlook.threshold - worst.balance)
    until_worst = sum(step.flow.outflows for step in outlook.steps if step.date <= worst.date)
    wanted = -(-100 * short // (until_worst * _STEP)) * _STEP if until_worst else _MOST
    percent = min(max(wanted, _LEAST), _MOST)
    saved = {step.date: step.flow.outflows * percent // 100 for step in outlook.steps}
    described = text(
        "CASH_REDUCE_EXPENSES_SHORT" if short else "CASH_REDUCE_EXPENSES",
        language,
        percent=number(percent, language),
        saved=spoken(sum(saved.values()), language),
        short=spoken(short, language),
        days=number(len(outlook.steps), language),
        threshold=spoken(outlook.threshold, language),
    )
    return _item("reduce_expenses", outlook, _impact(outlook, saved), described.message, sum(saved.values()))


def _accelerate_collections(
    outlook: Outlook, dues: Sequence[Due], today: dt.date, language: Language
) -> dict[str, Any] | None:
    owed = [due for due in dues if due.customer != NOBODY]
    old = sum(due.paisa for due in owed if due.sold_on is None or today - due.sold_on > _OLD)
    if not owed or not (old or outlook.level in _AT_RISK):
        return None
    total = sum(due.paisa for due in owed)
    described = text(
        "CASH_ACCELERATE_COLLECTIONS",
        language,
        total=spoken(total, language),
        old=spoken(old, language),
        customers=number(len({due.customer for due in owed}), language),
    )
    return _item("accelerate_collections", outlook, _impact(outlook, _sooner(owed, today)), described.message, total)


def _sooner(owed: Sequence[Due], today: dt.date) -> dict[dt.date, int]:
    """Return the change of inflows per day if everything owed is paid within a week."""
    soon = today + _SOON
    changes: dict[dt.date, int] = {soon: 0}
    for due in owed:
        if due.expected_on is None or due.expected_on > soon:
            changes[soon] += due.paisa
            if due.expected_on is not None:
                changes[due.expected_on] = changes.get(due.expected_on, 0) - due.paisa
    return changes


def _impact(outlook: Outlook, changes: Mapping[dt.date, int]) -> float | None:
    """Return the share of the risk that the changes remove, None if the risk is unknown."""
    if outlook.risk is None or outlook.strayed is None:
        return None
    left = outlook.risk_with(changes) or 0.0
    return round(max(0.0, outlook.risk - left) / outlook.risk, 2) if outlook.risk else 0.0


def _item(kind: str, outlook: Outlook, impact: float | None, description: str, paisa: int) -> dict[str, Any]:
    return {
        "type": kind,
        "urgency": outlook.level or "low",
        "impact": impact,
        "description": description,
        "amount": taka(paisa),
    }
