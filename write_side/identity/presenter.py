"""Accounts, shops and tokens as clients see them."""

from typing import Any

from write_side.identity.business_aggregate import Business
from write_side.identity.session_handlers import Tokens
from write_side.identity.user_aggregate import User


def user_data(user: User, business_id: int | None) -> dict[str, Any]:
    """Return an account as clients see it."""
    return {
        "id": user.user_id,
        "email": user.email,
        "first_name": user.first_name,
        "language": user.language,
        "business_id": business_id,
        "is_staff": user.is_staff,
        "created_at": user.created_at,
    }


def business_data(business: Business) -> dict[str, Any]:
    """Return a shop as clients see it, without the statistics of the read side."""
    return {
        "id": business.business_id,
        "name": business.name,
        "type": business.type,
        "phone_number": business.phone_number,
        "city": business.city,
        "description": business.description,
        "is_demo": business.is_demo,
        "created_at": business.created_at,
    }


def tokens_data(tokens: Tokens) -> dict[str, Any]:
    """Return the tokens of a session."""
    return tokens._asdict()
