"""What is known of a table while its layout is worked out."""

from collections.abc import Mapping, Sequence

import msgspec

from write_side.sales.csv.columns import rank
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.profile import Profile
from write_side.sales.csv.questions import Inquiry
from write_side.sales.csv.table import NoLedger, Reason


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """Why a column holds a field: a code of questions.toml with what fills it, and how sure that is, up to 1."""

    confidence: float
    code: str
    values: tuple[str, ...] = ()


class Findings:
    """The columns of the fields as far as they are settled, with evidence, remarks and questions.

    found: the columns that may hold each field, by their names; mapping: the owner's choice.
    """

    def __init__(
        self,
        header: Sequence[str],
        found: Mapping[str, Sequence[int]],
        seen: Profile,
        mapping: Mapping[str, str],
        inquiry: Inquiry,
    ) -> None:
        """Settle each field on the surest of its columns with content."""
        self.header, self.found, self.seen, self.mapping, self.inquiry = list(header), found, seen, mapping, inquiry
        self.columns: dict[str, int] = {}
        self.evidence: dict[str, Evidence] = {}
        self.notices: list[Notice] = []
        for field, rivals in found.items():
            filled = [column for column in rivals if any(row[column].strip() for row in seen.sample)]
            self.take(field, surest(filled or rivals, header))

    def take(self, field: str, column: int, code: str = "", *values: str) -> None:
        """Settle a field on a column, because of its name or for another reason."""
        self.columns[field] = column
        name = self.header[column]
        if field in self.mapping:
            self.evidence[field] = Evidence(1.0, "EVIDENCE_CHOSEN")
        elif code:
            self.evidence[field] = Evidence(0.99, code, values)
        else:
            self.evidence[field] = Evidence(0.95 if rank(name) == 0 else 0.85, "EVIDENCE_NAME", (name,))

    def drop(self, *fields: str) -> None:
        """Read no column for these fields."""
        for field in fields:
            self.columns.pop(field, None)
            self.evidence.pop(field, None)

    def note(self, remark: Remark, *values: str) -> None:
        """Keep what the owner should know."""
        self.notices.append(Notice(remark.value, values))

    def name_of(self, field: str) -> str:
        """Return the file's own name of a field's column."""
        return self.header[self.columns[field]]


def surest(rivals: Sequence[int], header: Sequence[str]) -> int:
    """Return the column that holds the field: of several the one whose name is surest, e.g. Amount, not Total.

    Raises NoLedger for two columns of one name.
    """
    first = min(rank(header[index]) for index in rivals)
    best = [index for index in rivals if rank(header[index]) == first]
    if len(best) != 1:
        raise NoLedger(Reason.DUPLICATE_COLUMN, duplicates=[header[index] for index in best])
    return best[0]
