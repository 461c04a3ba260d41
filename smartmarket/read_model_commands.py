"""The commands about read models, indexes and the log; each imports what it runs when it is called."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from shared.runtime.errors import CannotStart
from shared.runtime.output import Output
from smartmarket.context import Json, container, group

if TYPE_CHECKING:
    from projections.cli import ProjectionCommands
    from shared.eventstore.rule_versions import Rules
    from shared.eventstore.store import EventStore
    from write_side.admin.generations_handlers import GenerationRequests

_MOST_PROCESSES = 64
Business = Annotated[int | None, typer.Option(metavar="ID", help="One business only.")]
Generation = Annotated[int, typer.Argument(metavar="GENERATION", help="The number a preview or rebuild printed.")]


def _projection_names(incomplete: str) -> list[str]:
    from projections.registry import REGISTRY

    return [name for name in (*REGISTRY, "all") if name.startswith(incomplete)]


One = Annotated[
    str, typer.Argument(metavar="NAME", help="A projection, such as sales.", autocompletion=_projection_names)
]
OneOrAll = Annotated[
    str, typer.Argument(metavar="NAME|all", help="A projection, such as sales.", autocompletion=_projection_names)
]
projections = group(
    "Read models: list, rebuild, roll back, verify, preview.",
    "projections list",
    "projections rebuild all --shards 4",
    "projections verify sales --business 7",
    "projections preview customers --set rfm.recency_days=7,30,60,120",
)
indexes = group("Write-side indexes: rebuild.", "indexes rebuild")
audit = group("The log itself: verify.", "audit verify --json")


def _commands(context: typer.Context, *, as_json: bool) -> "ProjectionCommands":
    from projections.cli import ProjectionCommands
    from smartmarket.read_models import source_of

    return ProjectionCommands(source_of(container(context)), Output(as_json))


@projections.command("list")
def list_projections(context: typer.Context, *, as_json: Json = False) -> None:
    """List generation, position, lag and state of every read model."""
    _commands(context, as_json=as_json).show()


@projections.command()
def rebuild(
    context: typer.Context,
    name: OneOrAll,
    *,
    shards: Annotated[int, typer.Option(min=1, max=_MOST_PROCESSES, help="Processes that replay in parallel.")] = 2,
    business: Business = None,
    as_json: Json = False,
) -> None:
    """Replay the log into a new generation and serve it; everything keeps running meanwhile."""
    _commands(context, as_json=as_json).rebuild(name, business, shards)


@projections.command()
def rollback(context: typer.Context, name: One, *, as_json: Json = False) -> None:
    """Let the generation that served before catch up and serve again."""
    _commands(context, as_json=as_json).rollback(name)


@projections.command()
def verify(context: typer.Context, name: OneOrAll = "all", *, business: Business = None, as_json: Json = False) -> None:
    """Compare the tables with a replay of the log; exit code 1 and the rows if they differ."""
    _commands(context, as_json=as_json).verify(name, business)


@projections.command()
def preview(
    context: typer.Context,
    name: One,
    *,
    rule: Annotated[str | None, typer.Option(help="A version of a rule, such as rfm.v2.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="RULE.PARAMETER=VALUE[,…]", help="A parameter's value; may be repeated."),
    ] = None,
    business: Business = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every change as a line of CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Show what other rules would change; the tables that serve are not touched."""

    def choose() -> "Rules":
        with closing(container(context).store(pool_size=2)) as store:
            return _requests(store).preview_rules(name, rule, parameters(changes or []))

    _commands(context, as_json=as_json).preview(name, choose, business, as_csv=as_csv)


@projections.command()
def adopt(context: typer.Context, generation: Generation, *, as_json: Json = False) -> None:
    """Put a preview's rules in force, or serve again what served before."""
    from shared.postgres.generation_states import GenerationState

    with closing(container(context).store(pool_size=2)) as store:
        state = _requests(store).adopt(generation)
    if state == GenerationState.CATCHING_UP:
        state = _commands(context, as_json=as_json).serve_adopted(generation)
    _answer_state(generation, state, as_json=as_json)


@projections.command()
def drop(context: typer.Context, generation: Generation, *, as_json: Json = False) -> None:
    """Drop a preview or a generation that served before, or cancel one that is being built."""
    with closing(container(context).store(pool_size=2)) as store:
        state = _requests(store).drop(generation)
    _answer_state(generation, state, as_json=as_json)


def _requests(store: "EventStore") -> "GenerationRequests":
    from shared.eventstore.command import CommandContext
    from shared.eventstore.store import Metadata
    from smartmarket.read_models import RULES_BY_PROJECTION
    from write_side.admin.generations_handlers import GenerationRequests

    return GenerationRequests(CommandContext(store, None, Metadata(actor="operator")), RULES_BY_PROJECTION)


def _answer_state(generation: int, state: str, *, as_json: bool) -> None:
    Output(as_json).answer({"id": generation, "state": state}, f"generation {generation} is {state}")


@indexes.command("rebuild")
def rebuild_indexes(context: typer.Context, *, as_json: Json = False) -> None:
    """Rebuild the write-side indexes from the log."""
    from write_side import indexes

    began = time.monotonic()
    with container(context).connect_owner() as conn:
        rows = indexes.rebuild_indexes(conn)
    seconds = time.monotonic() - began
    Output(as_json).answer({"rows": rows, "seconds": seconds}, f"write-side indexes: {rows:,} rows in {seconds:.1f} s")


_ALTERED = "docs/how-to/verify-the-log.md says what to do."


@audit.command("verify")
def verify_log(context: typer.Context, *, as_json: Json = False) -> None:
    """Check the log against its signed checkpoints, and what events refer to; exit code 1 if anything was altered."""
    from smartmarket.processes import log_audit

    wanted = container(context)
    with wanted.connect() as conn:
        found = log_audit(wanted).verify(conn)
    if found:
        msg = f"The log or what belongs to it was altered: {', '.join(map(str, found))}. {_ALTERED}"
        raise CannotStart(msg)
    Output(as_json).answer({"intact": True}, "the log is intact, and nothing that it refers to is missing")


@audit.command("checkpoint")
def write_checkpoint(context: typer.Context, *, as_json: Json = False) -> None:
    """Sign a checkpoint of the log now; the scheduler does it every minute and every 10,000 events."""
    from shared.eventstore.log_tree import CheckpointWriter, LogAltered

    wanted = container(context)
    writer = CheckpointWriter(wanted.anchor(), wanted.checkpoint_key())
    try:
        with wanted.connect() as conn:
            written = writer.write(conn) or writer.last()
    except LogAltered as altered:
        msg = f"No checkpoint was written: {altered}. {_ALTERED}"
        raise CannotStart(msg) from altered
    if written is None:
        msg = "The log has no event yet."
        raise CannotStart(msg)
    known = {"size": written.size, "root": written.root.hex(), "public_key": wanted.checkpoint_key().public.hex()}
    Output(as_json).answer(known, f"checkpoint of {written.size:,} events, root {written.root.hex()}")


def parameters(settings: Sequence[str]) -> dict[str, object]:
    """Return the values of settings such as `rfm.recency_days=7,30,60,120`, by name; raises CannotStart."""
    return dict(map(_parameter, settings))


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    try:
        numbers = [float(part) if "." in part else int(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if not equals or not numbers:
        msg = f"{text!r} names no rule and numbers: write it as rfm.recency_days=7,30,60,120"
        raise CannotStart(msg)
    return name, numbers if len(numbers) > 1 else numbers[0]
