"""Questions about a ledger that only its owner can answer, and the answers that are proposed."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from write_side.sales.csv.cells import legible

# An answer is the value of one of the question's choices.
Answers = Mapping[str, str]

_SUBJECT = re.compile(r"[^\w +.-]")
_LONGEST_SUBJECT = 30


class Sums(msgspec.Struct, frozen=True, array_like=True):
    """What a reading of a ledger adds up to, in paisa; `expenses` includes purchases, `returns` is above zero."""

    revenue: int = 0
    returns: int = 0
    received: int = 0
    owed: int = 0
    expenses: int = 0

    @property
    def net(self) -> int:
        """Return the revenue less returns."""
        return self.revenue - self.returns

    def plus(self, other: "Sums") -> "Sums":
        """Return the sums of two parts of a ledger."""
        return Sums(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def minus(self, part: "Sums") -> "Sums":
        """Return the sums without those of a part of the ledger."""
        return Sums(*(a - b for a, b in zip(self.as_tuple(), part.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[int, int, int, int, int]:
        """Return the sums in the order of the fields."""
        return self.revenue, self.returns, self.received, self.owed, self.expenses


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """One of a question's answers; `sums` is what the ledger adds up to with it, None before that is calculated."""

    value: str
    proposed: bool = False
    sums: Sums | None = None


class Question(msgspec.Struct, frozen=True, array_like=True):
    """A question: `code` is `KIND` or `KIND:subject`; `values` fill the text of the kind.

    columns: the names of the columns it is about; rows: the first rows it is about, by line.
    """

    code: str
    columns: tuple[str, ...]
    rows: tuple[int, ...]
    values: tuple[str, ...]
    choices: tuple[Choice, ...]

    @property
    def kind(self) -> str:
        """Return the code without its subject; it selects the text of the question."""
        return self.code.partition(":")[0]

    @property
    def proposed(self) -> str:
        """Return the value of the proposed answer."""
        return next(choice.value for choice in self.choices if choice.proposed)


def code_of(kind: str, subject: str = "") -> str:
    """Return the code of a question about a word of the file, which is shortened to 30 plain characters."""
    return f"{kind}:{_SUBJECT.sub('', subject).strip()[:_LONGEST_SUBJECT]}" if subject else kind


class Inquiry:
    """Collects the questions that a reading raises; what was answered before is not asked again."""

    def __init__(self, answers: Answers, proposals: Answers | None = None) -> None:
        """Start with the owner's answers; `proposals` are those of an earlier ledger of the same layout."""
        self.questions: list[Question] = []
        self._answers = answers
        self._proposals = proposals or {}

    def answer(self, code: str) -> str | None:
        """Return the owner's answer to a question that need not be asked."""
        return self._answers.get(code)

    def ask(
        self,
        code: str,
        choices: Sequence[str],
        *,
        proposed: str,
        columns: Sequence[str] = (),
        rows: Sequence[int] = (),
        values: Sequence[str] = (),
    ) -> str:
        """Return the owner's answer; without one keep the question, and return the proposed answer."""
        answer, remembered = self._answers.get(code, ""), self._proposals.get(code, "")
        if answer in choices:
            return answer
        proposed = remembered if remembered in choices else proposed
        offered = tuple(Choice(value, value == proposed) for value in choices)
        named, filled = (tuple(legible(text) for text in texts) for texts in (columns, values))
        self.questions.append(Question(code, named, tuple(rows), filled, offered))
        return proposed
