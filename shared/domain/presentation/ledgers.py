"""Questions and remarks about a ledger in the words of its reader."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from shared.domain.presentation.schemas import Taka
from shared.texts import Language, text

SUMS = ("revenue", "returns", "received", "owed", "expenses")


class LedgerSums(BaseModel):
    """What a ledger adds up to; `net` is the revenue less returns."""

    revenue: Taka
    returns: Taka
    net: Taka
    received: Taka
    owed: Taka
    expenses: Taka


class LedgerAnswer(BaseModel):
    """An answer to a question, and what the ledger adds up to with it; null where that was not calculated."""

    value: str
    label: str
    proposed: bool
    sums: LedgerSums | None


class LedgerQuestion(BaseModel):
    """A question that only the owner can answer: the columns and first rows it is about."""

    code: str
    message: str
    columns: list[str]
    rows: list[int]
    answers: list[LedgerAnswer]


class LedgerWarning(BaseModel):
    """What was noticed about a file that was imported; `values` are the names or words concerned."""

    code: str
    message: str
    suggestions: list[str]
    values: list[str]


def question(
    code: str,
    columns: Sequence[str],
    rows: Sequence[int],
    values: Sequence[str],
    choices: Sequence[tuple[str, bool, Sequence[int] | None]],
    language: Language,
) -> dict[str, Any]:
    """Return a question with its answers: `{code, message, columns, rows, answers: [{value, label, proposed, sums}]}`.

    `sums` are what the ledger adds up to with an answer, in taka; null where it was not calculated.
    """
    kind = code.partition(":")[0]
    named = dict(zip("abcdefghijkl", values, strict=False))
    filled = {"columns": ", ".join(columns), "rows": ", ".join(map(str, rows)), **named}
    return {
        "code": code,
        "message": text(kind, language, **filled).message,
        "columns": list(columns),
        "rows": list(rows),
        "answers": [
            {
                "value": value,
                "label": text(f"{kind}_{value}", language, **filled).message,
                "proposed": proposed,
                "sums": None if sums is None else in_taka(sums),
            }
            for value, proposed, sums in choices
        ],
    }


def in_taka(sums: Sequence[int]) -> dict[str, float]:
    """Return what a ledger adds up to, from paisa: `{revenue, returns, net, received, owed, expenses}`."""
    named = dict(zip(SUMS, (paisa / 100 for paisa in sums), strict=True))
    return {
        "revenue": named["revenue"],
        "returns": named["returns"],
        "net": (sums[0] - sums[1]) / 100,
        "received": named["received"],
        "owed": named["owed"],
        "expenses": named["expenses"],
    }


def evidence(code: str, values: Sequence[str], language: Language) -> str:
    """Return why a column is read as it is."""
    return text(code, language, **dict(zip("abc", values, strict=False))).message


def warning(code: str, values: Sequence[str], language: Language) -> dict[str, Any]:
    """Return a remark about a ledger: `{code, message, suggestions, values}`."""
    message, suggestions = text(code, language, values=", ".join(values))
    return {"code": code, "message": message, "suggestions": suggestions, "values": list(values)}
