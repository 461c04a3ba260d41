"""GET /business/profile."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from psycopg.rows import TupleRow
from starlette.responses import Response

from read_side.http.consistency import freshly, looked_for
from read_side.http.money import CURRENCY
from read_side.http.rows import row_or_none
from shared.errors import ProjectionBehind
from shared.http.app import Principal, example, ok, owner
from shared.postgres.database import reading

router = APIRouter(tags=["Business"])

# Returns the profile as a JSON object; fields that were cleared are null.
SELECT_PROFILE = """SELECT json_build_object(
    'id', p.business_id, 'name', p.name, 'type', nullif(p.type, ''), 'phone_number', nullif(p.phone_number, ''),
    'city', nullif(p.city, ''), 'description', nullif(p.description, ''),
    'stats', json_build_object(
        'products', coalesce(s.products, 0), 'customers', coalesce(s.customers, 0),
        'total_transactions', coalesce(s.transactions, 0), 'total_revenue', trim_scale(coalesce(s.paisa, 0) * 0.01),
        'last_transaction_date', (SELECT date FROM profile_days
            WHERE business_id = %(business)s AND sales > 0 ORDER BY date DESC LIMIT 1)),
    'data_sources', coalesce((SELECT json_agg(source ORDER BY source) FROM data_sources
        WHERE business_id = %(business)s AND uses > 0), '[]'),
    'is_demo', coalesce(p.is_demo, false))::text
    FROM profiles AS p LEFT JOIN profile_stats AS s ON s.business_id = %(business)s
    WHERE p.business_id = %(business)s AND p.name IS NOT NULL"""

_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "id": 1,
            "name": "Ali's Tea Shop",
            "type": "restaurant",
            "phone_number": "+880123456789",
            "city": "Dhaka",
            "description": None,
            "stats": {
                "products": 12,
                "customers": 45,
                "total_transactions": 1250,
                "total_revenue": 450000,
                "last_transaction_date": "2025-11-03",
            },
            "data_sources": ["csv", "receipt_ocr"],
            "is_demo": False,
            "currency": CURRENCY,
            "language": "bn",
        }
    )
}


@router.get("/business/profile", responses=_EXAMPLE)
async def show_profile(request: Request, who: Annotated[Principal, Depends(owner)]) -> Response:
    """Return the shop's profile and what it has sold so far; `total_revenue` is in taka."""
    business_id = await freshly(request, who, "identity")

    async def look() -> TupleRow | None:
        async with reading(request.app.state.reader, business_id) as conn:
            return await row_or_none(conn, SELECT_PROFILE, {"business": business_id})

    row = await looked_for(look)
    if row is None:
        raise ProjectionBehind(retry_after=1)
    return ok(orjson.loads(row[0]) | {"currency": CURRENCY, "language": who.language})
