"""The commands of operators: read models, indexes, the log, jobs, staff accounts and demo shops.

A command imports what it runs when it is called, so that help and completion answer at once.
"""

import getpass
import sys
import time
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from shared.runtime.output import Output
from smartmarket.context import container

if TYPE_CHECKING:
    from projections.cli import ProjectionCommands
    from shared.eventstore.rule_versions import Rules
    from shared.eventstore.store import EventStore
    from write_side.admin.generations_handlers import GenerationRequests

_MOST_PROCESSES = 64
_SEED = 1
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Business = Annotated[int | None, typer.Option(metavar="ID", help="One business only.")]
Generation = Annotated[int, typer.Argument(metavar="GENERATION", help="The number a preview or rebuild printed.")]


def _projection_names(incomplete: str) -> list[str]:
    from projections.registry import REGISTRY

    return [name for name in (*REGISTRY, "all") if name.startswith(incomplete)]


Seed = Annotated[int, typer.Option(metavar="N", help="Equal numbers give equal shops on the same day.")]
One = Annotated[
    str, typer.Argument(metavar="NAME", help="A projection, such as sales.", autocompletion=_projection_names)
]
OneOrAll = Annotated[
    str, typer.Argument(metavar="NAME|all", help="A projection, such as sales.", autocompletion=_projection_names)
]


def _group(text: str, *examples: str) -> typer.Typer:
    """Return a group of commands; the first words of `text` are its line in the list of commands."""
    epilog = "\n\n".join(["Examples:", *(f"smartmarket {example}" for example in examples)])
    return typer.Typer(help=text, epilog=epilog, no_args_is_help=True)


projections = _group(
    "Read models: list, rebuild, roll back, verify, preview.",
    "projections list",
    "projections rebuild all --shards 4",
    "projections verify sales --business 7",
    "projections preview customers --set rfm.recency_days=7,30,60,120",
)
indexes = _group("Write-side indexes: rebuild.", "indexes rebuild")
audit = _group("The log itself: verify.", "audit verify --json")
jobs = _group("Background jobs that have failed: list, retry.", "jobs list --all", "jobs retry ID")
staff = _group("Operators' accounts: create.", "staff create rina@shop.bd --first-name Rina")
demo = _group("Demo shops with invented data: seed, reset.", "demo seed --seed 7", "demo reset")


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
    from projections.cli import parameters

    def choose() -> "Rules":
        with closing(container(context).store(pool_size=2)) as store:
            return _requests(store).preview_rules(name, rule, parameters(changes or []))

    _commands(context, as_json=as_json).preview(name, choose, business, as_csv=as_csv)


@projections.command()
def adopt(context: typer.Context, generation: Generation, *, as_json: Json = False) -> None:
    """Put a preview's rules in force, or serve again what served before."""
    with closing(container(context).store(pool_size=2)) as store:
        state = _requests(store).adopt(generation)
    if state == "catching_up":
        state = _commands(context, as_json=as_json).serve_adopted(generation)
    _answer_state(generation, state, as_json=as_json)


@projections.command()
def drop(context: typer.Context, generation: Generation, *, as_json: Json = False) -> None:
    """Drop a preview or a generation that served before, or cancel one that is being built."""
    with closing(container(context).store(pool_size=2)) as store:
        state = _requests(store).drop(generation)
    _answer_state(generation, state, as_json=as_json)


def _requests(store: "EventStore") -> "GenerationRequests":
    from shared.eventstore.store import Metadata
    from smartmarket.read_models import RULES_BY_PROJECTION
    from write_side.admin.generations_handlers import GenerationRequests

    return GenerationRequests(store, Metadata(actor="operator"), RULES_BY_PROJECTION)


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


@audit.command("verify")
def verify_log(context: typer.Context, *, as_json: Json = False) -> None:
    """Check the hash chain of the whole log; exit code 1 and the first event that breaks it."""
    from shared.eventstore.hash_chain import verify_chain
    from shared.runtime.errors import CannotStart

    with container(context).connect() as conn:
        broken = verify_chain(conn)
    if broken:
        msg = f"The log has been changed: {broken}"
        raise CannotStart(msg)
    Output(as_json).answer({"intact": True}, "the log is intact: every event follows from the one before")


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also jobs that wait, run or are done.")] = False,
    as_json: Json = False,
) -> None:
    """List failed jobs, newest first."""
    from write_side.admin import cli

    cli.list_jobs(container(context), Output(as_json), every=every)


@jobs.command("retry")
def retry_job(
    context: typer.Context,
    job_id: Annotated[uuid.UUID, typer.Argument(metavar="ID", help="As `jobs list` prints it.")],
    *,
    as_json: Json = False,
) -> None:
    """Try a failed job again, with as many attempts as a new one."""
    from write_side.admin import cli

    cli.retry_job(container(context), Output(as_json), job_id)


@staff.command("create")
def create_staff(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    *,
    first_name: Annotated[str, typer.Option(metavar="NAME")] = "Staff",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from the first line of stdin.")] = False,
    as_json: Json = False,
) -> None:
    """Create an operator's account; asks for the password on the terminal."""
    from write_side.identity import staff_handlers

    password = _password(from_stdin=password_stdin)
    with closing(container(context).store(pool_size=2)) as store:
        user = staff_handlers.create_staff(store, email, first_name, password)
    Output(as_json).answer({"user_id": user, "email": email}, f"staff account {email} created (user {user})")


def _password(*, from_stdin: bool) -> str:
    """Return the password; raises CannotStart where there is no terminal to ask on."""
    from shared.runtime.errors import CannotStart

    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    try:
        # Without a terminal getpass would read stdin and show what is typed.
        with open("/dev/tty", "r+", encoding="utf-8"):  # noqa: PTH123 - a device
            return getpass.getpass("Password: ")
    except (OSError, EOFError) as error:
        msg = "There is no terminal to ask for the password: pipe it in and add --password-stdin."
        raise CannotStart(msg) from error


@demo.command("seed")
def seed_demo(context: typer.Context, *, seed: Seed = _SEED, as_json: Json = False) -> None:
    """Open a new demo shop: six months that end today; prints its login."""
    from write_side.admin import cli

    cli.seed_demo(container(context), Output(as_json), seed, close_others=False)


@demo.command("reset")
def reset_demo(context: typer.Context, *, seed: Seed = _SEED, as_json: Json = False) -> None:
    """Close every demo shop, and no other shop, and open a new one."""
    from write_side.admin import cli

    cli.seed_demo(container(context), Output(as_json), seed, close_others=True)
