"""Command handler that closes a demo shop: its account cannot log in any more, its sessions end."""

import uuid
from dataclasses import replace

from shared.eventstore.command import CommandContext
from shared.eventstore.store import UnitOfWork
from write_side.identity.business_aggregate import CloseDemo, decide
from write_side.identity.credentials import accounts
from write_side.identity.profile_handlers import append_to_user, business_of
from write_side.identity.session_handlers import revoke
from write_side.identity.user_aggregate import RevokeSessions


def close_demo(ctx: CommandContext, user_id: int) -> int | None:
    """Close the demo shop of the context; returns the position, None if it was closed before. Raises NotADemo."""
    stream = business_of(ctx.business_id or 0, user_id)

    def close(unit: UnitOfWork) -> None:
        accounts.locked(unit, user_id)
        business = stream.load(unit)
        if events := decide(CloseDemo(), business.state):
            stream.append(unit, business, events)
            append_to_user(unit, RevokeSessions(user_id, revoke(unit, user_id), "closed"), user_id)
            accounts.deactivate(unit, user_id)

    return replace(ctx, meta=replace(ctx.meta, command_id=str(uuid.uuid4()))).execute(close).position
