"""Language negotiation between Bangla and English."""

import functools

from shared.texts import LANGUAGES, Language


@functools.lru_cache(maxsize=512)
def negotiate(accept_language: str | None) -> Language | None:
    """Return the language that Accept-Language prefers (RFC 9110 §12.5.4), None if it names neither."""
    best: Language | None = None
    best_weight = 0.0
    for part in (accept_language or "").split(",")[:32]:
        tag, _, parameters = part.partition(";")
        weight = _weight(parameters)
        primary = tag.strip().lower().partition("-")[0]
        for language in LANGUAGES:
            if primary == language and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
