"""What the owner answered for an earlier ledger of the same layout."""

from collections.abc import Mapping, Sequence

import msgspec

from shared.domain.events.sales import UploadAccepted, UploadAnswered
from shared.eventstore.store import UnitOfWork
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import named

# Returns the answers and chosen columns that were recorded with ledgers of a layout, the newest first.
SELECT_ANSWERS = """SELECT data -> 'answers' AS answers, data -> 'mapping' AS mapping FROM log.history
    WHERE business_id = %s AND topic = ANY(%s) AND data ->> 'layout' = %s ORDER BY position DESC LIMIT 20"""
# Answers that are about one file, not about its layout.
_OF_ONE_FILE = frozenset({"CORRECTED_ROWS", "KNOWN_PHONE", "SHARED_PHONE", "SHEET"})


class Remembered(msgspec.Struct, frozen=True):
    """Answers and columns by which an earlier ledger of a layout was read."""

    answers: dict[str, str]
    mapping: dict[str, str]


def with_remembered(chosen: Mapping[str, str], earlier: Mapping[str, str], header: Sequence[str]) -> dict[str, str]:
    """Return the owner's choice of columns, completed by that for an earlier ledger of the layout."""
    taken = {loosely(name) for name in chosen.values()}
    kept = {
        field: name
        for field, name in earlier.items()
        if field not in chosen and loosely(name) not in taken and named(name, header)
    }
    return {**chosen, **kept}


def remembered(unit: UnitOfWork, layout: str) -> Remembered:
    """Return the newest answer to each question about ledgers of a layout, and the newest choice of each column."""
    topics = [UploadAccepted.topic, UploadAnswered.topic]
    answers: dict[str, str] = {}
    mapping: dict[str, str] = {}
    for row in unit.sql(SELECT_ANSWERS, (unit.business_id, topics, layout)):
        for known, found in ((answers, row["answers"]), (mapping, row["mapping"])):
            for key, value in (found or {}).items():
                if key.partition(":")[0] not in _OF_ONE_FILE:
                    known.setdefault(key, value)
    return Remembered(answers, mapping)
