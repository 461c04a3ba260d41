"""Ending a demo shop: its account logs in no more, its sessions end; the log keeps what it showed."""

import uuid
from dataclasses import replace

from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.identity import aggregate
from write_side.identity.aggregate import RevokeSessions, revoke_sessions
from write_side.identity.credentials import accounts
from write_side.identity.profile_handlers import append_to_user, business_in, business_stream
from write_side.identity.session_handlers import revoke


def close_demo(store: EventStore, business_id: int, user_id: int, meta: Metadata) -> int | None:
    """Close a demo shop; returns the position, None if it was closed before. Raises NotADemo for any other shop."""

    def decide(unit: UnitOfWork) -> None:
        accounts.locked(unit, user_id)
        shop = business_in(unit, business_id, user_id)
        if events := aggregate.close_demo(shop):
            unit.append(business_stream(business_id), shop.version, *events)
            ended = revoke(unit, user_id)
            append_to_user(unit, user_id, revoke_sessions(RevokeSessions(user_id, ended, "closed")))
            accounts.deactivate(unit, user_id)

    return store.execute(business_id, replace(meta, command_id=str(uuid.uuid4())), decide).position
