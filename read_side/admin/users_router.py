"""GET /admin/users: accounts and their businesses."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from read_side.admin.presenter import utc
from read_side.admin.schemas import AccountList
from read_side.http.keyset_pagination import list_json
from shared.eventstore.store import EventStore
from shared.eventstore.vault import SubjectKeys, Vault, sql_over
from shared.http.answers import answers
from shared.http.app import ListQuery, decode_cursor, encode_cursor, raw
from shared.http.dependencies import Deps, Staff
from shared.http.pagination import QueryId

router = APIRouter(tags=["Admin"])

_WHERE = """(%(staff)s::boolean IS NULL OR is_staff = %(staff)s)
    AND (%(business)s::bigint IS NULL OR business_id = %(business)s)"""
# Selects the accounts of a page and one more, newest first.
SELECT_USERS = f"""SELECT user_id, business_id, language, is_staff, is_active FROM credentials.users
    WHERE {_WHERE} AND (%(before)s::bigint IS NULL OR user_id < %(before)s)
    ORDER BY user_id DESC OFFSET %(offset)s LIMIT %(rows)s"""  # noqa: S608 - constants
# Counts the accounts of the whole list.
COUNT_USERS = f"SELECT count(*) AS n FROM credentials.users WHERE {_WHERE}"  # noqa: S608 - constants
# Selects the events that describe accounts and businesses, in order.
SELECT_PROFILES = """SELECT stream, topic, recorded_at, data FROM log.history WHERE stream = ANY(%s) AND topic = ANY(%s)
    ORDER BY position"""
_PROFILE_TOPICS = [
    f"identity.{name}"
    for name in ("UserRegistered", "StaffCreated", "UserProfileChanged", "BusinessRegistered", "BusinessProfileChanged")
]
_BUSINESS_FIELDS = ("name", "type", "city", "is_demo")
_EXAMPLE = answers(
    AccountList,
    {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": 12,
                "email": "owner@shop.bd",
                "first_name": "Ali",
                "language": "bn",
                "is_staff": False,
                "is_active": True,
                "created_at": "2025-05-01T04:00:00Z",
                "business": {
                    "id": 7,
                    "name": "Ali's Tea Shop",
                    "type": "restaurant",
                    "city": "Dhaka",
                    "is_demo": False,
                    "created_at": "2025-05-01T04:00:00Z",
                },
            }
        ],
        "next_cursor": None,
    },
)


class UsersQuery(ListQuery):
    """Filters of the list."""

    is_staff: bool | None = None
    business_id: QueryId | None = None


@router.get("/admin/users", responses=_EXAMPLE)
def list_users(request: Request, deps: Deps, _: Staff, query: Annotated[UsersQuery, Query()]) -> Response:
    """Return accounts with their businesses, newest first; staff have no business.

    `email` and `first_name` are null after the account's personal data was erased; `is_active` is false if it can no
    longer log in.
    """
    page = query.page()
    before = None if page.cursor is None else int(decode_cursor(page.cursor, int)[0])
    parameters = {
        "staff": query.is_staff,
        "business": query.business_id,
        "before": before,
        "offset": page.offset,
        "rows": page.limit + 1,
    }
    rows, count, events, keys = _read(deps.store, parameters)
    shown = rows[: page.limit]
    cursor = encode_cursor((shown[-1]["user_id"],)) if len(rows) > page.limit else None
    return raw(list_json(request, page, count, [_item(row, events, keys) for row in shown], cursor))


def _read(
    store: EventStore, parameters: dict[str, Any]
) -> tuple[list[dict[str, Any]], int, list[dict[str, Any]], SubjectKeys]:
    with store.snapshot() as cursor:
        sql = sql_over(cursor.connection)
        rows = cursor.execute(SELECT_USERS, parameters).fetchall()
        count = cursor.execute(COUNT_USERS, parameters).fetchall()[0]["n"]
        subjects = [f"user-{row['user_id']}" for row in rows]
        streams = [*subjects, *(f"business-{row['business_id']}" for row in rows)]
        return rows, count, sql(SELECT_PROFILES, (streams, _PROFILE_TOPICS)), Vault(store.master, sql).keys(subjects)


def _item(row: dict[str, Any], events: list[dict[str, Any]], keys: SubjectKeys) -> dict[str, Any]:
    subject, stream = f"user-{row['user_id']}", f"business-{row['business_id']}"
    person: dict[str, Any] = {}
    for each in (each for each in events if each["stream"] == subject):
        person.setdefault("created_at", utc(each["recorded_at"]))
        if each["data"].get("sealed"):
            person |= keys.open(subject, each["data"]["sealed"]) or {}
    return {
        "id": row["user_id"],
        "email": person.get("email"),
        "first_name": person.get("first_name"),
        "language": row["language"],
        "is_staff": row["is_staff"],
        "is_active": row["is_active"],
        "created_at": person.get("created_at"),
        "business": None if row["business_id"] is None else _shop(row["business_id"], stream, events),
    }


def _shop(business_id: int, stream: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": business_id, **dict.fromkeys(_BUSINESS_FIELDS)}
    for each in (each for each in events if each["stream"] == stream):
        found.setdefault("created_at", utc(each["recorded_at"]))
        found |= {name: each["data"][name] or None for name in _BUSINESS_FIELDS if each["data"].get(name) is not None}
    return {**found, "is_demo": bool(found["is_demo"])}
