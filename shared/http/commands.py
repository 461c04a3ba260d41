"""Commands over HTTP: the context is built from the request, the answer carries the position of its events."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import Metadata
from shared.http.auth import command_context, language, request_hash
from shared.http.dependencies import Caller, Deps, Owner, Staff
from shared.http.position_tokens import PositionTokens
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.texts import Language, text


async def owner_command(request: Request, who: Owner, deps: Deps) -> CommandContext:
    """Return the context of an owner's command. A dependency."""
    return CommandContext(deps.store, who.business_id, command_context(request, who), request_hash(request))


async def private_owner_command(request: Request, who: Owner, deps: Deps) -> CommandContext:
    """Return the context of an owner's command whose body holds personal data. A dependency."""
    meta = command_context(request, who)
    return CommandContext(deps.store, who.business_id, meta, _keyed_hash(request, who, deps))


async def private_caller_command(request: Request, who: Caller, deps: Deps) -> CommandContext:
    """Return the context of a command of any account whose body holds personal data. A dependency."""
    meta = command_context(request, who)
    return CommandContext(deps.store, who.business_id, meta, _keyed_hash(request, who, deps))


async def caller_command(request: Request, who: Caller, deps: Deps) -> CommandContext:
    """Return the context of a command that is never repeated by its Idempotency-Key. A dependency."""
    return CommandContext(deps.store, who.business_id, _unrepeated(request, who))


async def anonymous_command(request: Request, deps: Deps) -> CommandContext:
    """Return the context of a command without a token, never repeated by its Idempotency-Key. A dependency."""
    return CommandContext(deps.store, None, _unrepeated(request, None))


async def staff_command(request: Request, who: Staff, deps: Deps) -> CommandContext:
    """Return the context of an operator's command on the whole installation. A dependency."""
    return CommandContext(deps.store, None, command_context(request, who), request_hash(request))


OwnerCommand = Annotated[CommandContext, Depends(owner_command)]
PrivateOwnerCommand = Annotated[CommandContext, Depends(private_owner_command)]
PrivateCallerCommand = Annotated[CommandContext, Depends(private_caller_command)]
CallerCommand = Annotated[CommandContext, Depends(caller_command)]
AnonymousCommand = Annotated[CommandContext, Depends(anonymous_command)]
StaffCommand = Annotated[CommandContext, Depends(staff_command)]


@dataclass(frozen=True)
class Responder:
    """Answers a command in the language of its sender; positions are sealed for `business_id`."""

    positions: PositionTokens
    business_id: int | None
    language: Language

    def __call__(
        self,
        result: Result[Any],
        *,
        status: int = 200,
        shown: Callable[[Any], Any] = lambda data: data,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with `shown(result.data)`, which turns stored units into displayed ones, and the position token."""
        token = self.positions.seal(self.business_id, result.position) if result.position else None
        return ok(shown(result.data), status=status, position=token, headers=headers)

    def of(self, business_id: int | None) -> "Responder":
        """Return a responder that seals positions for this business."""
        return replace(self, business_id=business_id)

    def message(self, code: str) -> str:
        """Return the text of this code in the sender's language."""
        return text(code, self.language).message


async def responder(request: Request, who: Caller, deps: Deps) -> Responder:
    """Return what answers the caller. A dependency."""
    return Responder(deps.positions, who.business_id, language(request, who))


async def anonymous_responder(request: Request, deps: Deps) -> Responder:
    """Return what answers a client without a token. A dependency."""
    return Responder(deps.positions, None, language(request))


Respond = Annotated[Responder, Depends(responder)]
RespondAnonymously = Annotated[Responder, Depends(anonymous_responder)]


def _keyed_hash(request: Request, who: Principal, deps: Deps) -> bytes | None:
    """Return a keyed hash of the request: a plain one would let names and phone numbers be guessed."""
    plain = request_hash(request)
    return plain and deps.store.master.lookup_key("request", who.business_id, f"{who.user_id} {plain.hex()}")


def _unrepeated(request: Request, who: Principal | None) -> Metadata:
    return replace(command_context(request, who), command_id=str(uuid.uuid4()))
