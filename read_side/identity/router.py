"""GET /business/profile."""

import orjson
from fastapi import APIRouter, Request
from psycopg.rows import TupleRow
from starlette.responses import Response

from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.rows import first_row
from read_side.identity.schemas import PROFILE
from shared.domain.presentation.units import CURRENCY
from shared.errors import ProjectionBehind
from shared.http.app import ok
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading
from shared.runtime.business_day import local_text

router = APIRouter(tags=["Business"])

# Selects the profile as a JSON object, cleared fields are null, and the moment after which the shop is erased.
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
    'is_demo', coalesce(p.is_demo, false))::text,
    (SELECT erased_after FROM erasures WHERE business_id = %(business)s)
    FROM profiles AS p LEFT JOIN profile_stats AS s ON s.business_id = %(business)s
    WHERE p.business_id = %(business)s AND p.name IS NOT NULL"""


@router.get("/business/profile", responses=PROFILE)
async def show_profile(request: Request, deps: Deps, who: Owner) -> Response:
    """Return the profile of the shop and the totals of its sales; `total_revenue` is in taka.

    `erased_after` is null unless the owner asked for the shop to be erased (`DELETE /api/business`).
    """
    business_id = await await_consistency(request, deps, who, "identity")

    async def read() -> TupleRow | None:
        async with reading(deps.reader, business_id) as conn:
            return await first_row(conn, SELECT_PROFILE, {"business": business_id})

    row = await retry_until_found(read)
    if row is None:
        raise ProjectionBehind(retry_after=1)
    found, erased_after = row
    erased = erased_after and local_text(erased_after)
    return ok(orjson.loads(found) | {"erased_after": erased, "currency": CURRENCY, "language": who.language})
