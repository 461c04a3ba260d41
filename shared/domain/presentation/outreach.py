"""The results of an executed recommendation: a line for the order list, drafts of messages to customers.

Nothing is sent. Links to wa.me open a chat with the drafted message, which the owner may send.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shared.domain.presentation.recommendations import Names, Person, Recommendation, product_name
from shared.domain.presentation.units import THOUSANDTHS, taka, units
from shared.texts import LANGUAGES, Language, text


def side_effects(rec: Recommendation, names: Names, language: Language) -> dict[str, Any]:
    """Return the order line of a reorder, the drafts of a retention, and a note on what was not done."""
    return {
        "rfq_created": False,
        "sms_queued": False,
        "note": text(f"EXECUTED_{rec.type.upper()}", language).message,
        "order_list": _order_lines(rec, names, language),
        "messages": _messages(rec, names),
    }


def next_steps(rec: Recommendation, language: Language) -> str:
    """Return what the owner can do next."""
    return text(f"EXECUTED_{rec.type.upper()}", language).suggestions[0]


def _order_lines(rec: Recommendation, names: Names, language: Language) -> list[dict[str, Any]]:
    if rec.type != "reorder":
        return []
    facts, product = rec.action, product_name(rec, names, language)
    quantity = units(facts["recommended_qty"])
    price = facts["unit_price"]
    return [
        {
            "product_id": facts["product_id"],
            "product_name": product,
            "quantity": quantity,
            "order_by": facts["reorder_by"],
            "text": f"{product}: {quantity}",
            "sales_value": None if price is None else taka(price * facts["recommended_qty"] // THOUSANDTHS),
        }
    ]


def _messages(rec: Recommendation, names: Names) -> Sequence[dict[str, Any]]:
    if rec.type != "retention":
        return []
    known = ((number, names.people.get(number)) for number in rec.action["customer_ids"])
    return [_message(number, person, names.shop or "") for number, person in known if person and person.name]


def _message(number: int, person: Person, shop: str) -> dict[str, Any]:
    drafts = {lang: text("RETENTION_MESSAGE", lang, name=person.name, shop=shop).message for lang in LANGUAGES}
    links = {lang: _whatsapp(person.phone, draft) for lang, draft in drafts.items()}
    whom = {"customer_id": number, "name": person.name, "phone": person.phone or None}
    return {**whom, "text": drafts, "whatsapp": links}


def _whatsapp(phone: str | None, message: str) -> str | None:
    return f"https://wa.me/{phone.removeprefix('+')}?text={quote(message)}" if phone else None
