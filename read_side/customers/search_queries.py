"""Finds customers by name, phone number or segment; the matches are collected and sorted."""

import re
from dataclasses import dataclass
from typing import Any

from read_side.customers.queries import CERTAIN, Selection, scores
from read_side.http.keyset_pagination import Start
from read_side.http.word_search import MATCHES, folded, word_parameters

_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
_PHONE = re.compile(r"[+0-9][0-9 ()-]{2,}")
# The names and phone numbers of a business that match; few as a rule, so their rows are looked up one by one.
_NAMED = f"""(SELECT id, sort_name FROM people WHERE business_id = %(business)s
        AND ({MATCHES} OR phone LIKE %(phone)s::text) OFFSET 0) AS p
    CROSS JOIN LATERAL (SELECT * FROM churn WHERE business_id = %(business)s AND id = p.id LIMIT 1) AS c"""  # noqa: S608 - constants
_UNNAMED = """churn AS c LEFT JOIN LATERAL (SELECT sort_name FROM people
        WHERE business_id = %(business)s AND id = c.id LIMIT 1) AS p ON {by_name}"""
_MATCHING = """matching AS MATERIALIZED (
    SELECT c.id, p.sort_name, c.paisa, c.last_at, {percent} AS percent FROM {source}
    WHERE c.business_id = %(business)s AND (%(segment)s::text IS NULL OR c.segment = %(segment)s)
        AND (c.risky OR NOT %(risky_only)s::bool))"""
# The score of a row: 100 from some day on, else by the days since the last visit.
_PERCENT = """coalesce((SELECT percent
        FROM unnest(%(percents)s::int[], %(declining)s::bool[], %(oldest)s::date[], %(newest)s::date[])
            AS days(percent, declining, oldest, newest)
        WHERE days.declining = c.declining AND c.scored_from BETWEEN days.oldest AND days.newest LIMIT 1), {certain})"""


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for: the beginning of a word of the name or digits of the phone number, and a segment."""

    text: str | None = None
    segment: str | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether every customer matches."""
        return self.text is None and self.segment is None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the conditions."""
        text = self.text or ""
        return {**word_parameters(text), "phone": _phone_pattern(folded(text)), "segment": self.segment}


def _phone_pattern(text: str) -> str | None:
    """Return the LIKE pattern of a text that may be part of a phone number, None (which matches nothing) otherwise."""
    number = text.translate(_DIGITS)
    return f"%{re.sub('[^0-9]', '', number)}%" if _PHONE.fullmatch(number) else None


def page(start: Start, search: Search, selection: Selection, limit: int) -> tuple[str, dict[str, Any]]:
    """Return WITH items that end in `page` (key, id, n), with `matching` before it, and their parameters."""
    parameters = {**start.parameters(limit), **search.parameters(), "risky_only": selection.at_risk_only}
    percent = "NULL::int"
    if start.order.name == "churn_score":
        percent = _PERCENT.format(certain=CERTAIN)
        parameters |= scores(Start(start.order), selection)
    by_name = str(start.order.name == "name").lower()
    source = _UNNAMED.format(by_name=by_name) if search.text is None else _NAMED
    matching = _MATCHING.format(percent=percent, source=source)
    return f"{matching},\n{start.page('matching', 'true')}", parameters
