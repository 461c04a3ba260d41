"""The commands about jobs, the clock, staff accounts and demo shops; each imports what it runs when it is called."""

import getpass
import sys
import uuid
from contextlib import closing
from typing import Annotated

import typer

from shared.runtime.errors import CannotStart
from shared.runtime.output import Output
from smartmarket.context import Json, container, group

_SEED = 1
Seed = Annotated[int, typer.Option(metavar="N", help="Equal numbers give equal shops on the same day.")]

jobs = group("Background jobs that have failed: list, retry.", "jobs list --all", "jobs retry ID")
clock = group("The clock and the business day: show, correct.", "clock show", "clock correct")
staff = group("Operators' accounts: create.", "staff create rina@shop.bd --first-name Rina")
demo = group("Demo shops with invented data: seed, reset.", "demo seed --seed 7", "demo reset")


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


@clock.command("show")
def show_clock(context: typer.Context, *, as_json: Json = False) -> None:
    """Show what the clock says, which day is open, and whether the two agree."""
    from write_side.clock import cli

    cli.show(container(context), Output(as_json))


@clock.command("correct")
def correct_clock(context: typer.Context, *, as_json: Json = False) -> None:
    """Confirm that the database's clock is right now, and correct the day if a wrong clock had opened a later one."""
    from write_side.clock import cli

    cli.correct(container(context), Output(as_json))


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


def confirmed(question: str) -> None:
    """Ask on the terminal; raises typer.Abort for a no, CannotStart where there is no terminal to ask on."""
    if not sys.stdin.isatty():
        msg = "There is no terminal to ask on: add --yes if you are sure."
        raise CannotStart(msg)
    typer.confirm(question, abort=True, err=True)
