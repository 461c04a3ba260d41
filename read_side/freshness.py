"""Reading one's own writes: X-Min-Event-Position makes a query wait until its tables show that position."""

from starlette.requests import Request

from shared.database import await_position
from shared.tokens import Principal

HEADER = "X-Min-Event-Position"


def business(who: Principal) -> int:
    """Return the business of an owner, as the dependency `owner` made sure there is one."""
    if who.business_id is None:
        msg = f"user {who.user_id} reads tables without a business"
        raise ValueError(msg)
    return who.business_id


async def freshly(request: Request, who: Principal, *projections: str) -> int:
    """Return the business to read for, once `projections` show it the position the request insists on.

    Holds no connection while it waits. Raises InvalidPosition for a token that is not this business's, ProjectionBehind
    if the wait was too long, ProjectionParked if an event of the business stands in the way.
    """
    shop = business(who)
    token = request.headers.get(HEADER)
    if token is not None:
        position = request.app.state.positions.open(token, shop)
        await await_position(request.app.state.reader, shop, projections, position)
    return shop
