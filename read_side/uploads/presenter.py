"""How an upload was undone, in the words of its reader."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.presentation.ledgers import warning
from shared.texts import Language

_SHOWN = 20


def undo_shown(
    undone: Mapping[str, Any] | None, requested_at: str, undone_at: str | None, language: Language
) -> dict[str, Any]:
    """Return how an upload was undone; of one that still is, when that was requested."""
    facts = undone or {}
    return {
        "requested_at": requested_at,
        "undone_at": undone_at,
        "replaced_by": facts.get("replaced_by"),
        "sales": facts.get("sales", 0),
        "movements": facts.get("movements", 0),
        "stays": {
            "voided_sales": facts.get("voided", 0),
            "products": facts.get("products", []),
            "customers": facts.get("customers", []),
            "executed_recommendations": facts.get("executed", []),
        },
        "touched": {
            "forecasts": facts.get("forecasts", []),
            "recommendations": facts.get("recommendations", []),
        },
        "overlapping_uploads": facts.get("overlaps", []),
        "notes": _notes(facts, language),
    }


def _notes(facts: Mapping[str, Any], language: Language) -> list[dict[str, Any]]:
    voided = [facts["voided"]] if facts.get("voided") else []
    said: list[tuple[str, Sequence[Any]]] = [
        ("UNDO_VOIDED_STAY", voided),
        ("UNDO_PRODUCTS_STAY", facts.get("products", [])),
        ("UNDO_CUSTOMERS_STAY", facts.get("customers", [])),
        ("UNDO_EXECUTED_STAY", facts.get("executed", [])),
        ("UNDO_OVERLAPS", facts.get("overlaps", [])),
    ]
    return [warning(code, [str(value) for value in values[:_SHOWN]], language) for code, values in said if values]
