"""What operators do with demo shops and jobs from the command line."""

import uuid
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable
from typing import Any

from shared.domain.refusals.admin import DemoNotAllowed
from shared.eventstore.command import CommandContext
from shared.eventstore.store import Metadata
from shared.runtime.container import Container
from write_side.admin.jobs_handlers import retry_job
from write_side.demo.handlers import USUAL_SEED, close_demos, open_demo, wait_until_shown
from write_side.demo.welcome import keep_login

Say = Callable[[Namespace, dict[str, Any], str], None]
_PATIENCE = 60.0
_MOST_LISTED = 100

# Returns jobs that were given up, or all, newest first.
SELECT_JOBS = """SELECT id, kind, subject, business_id, state, attempts + (state = 'failed')::integer AS attempts,
    error, created_at FROM jobs.jobs WHERE %s OR state = 'failed' ORDER BY position DESC, id DESC LIMIT %s"""


def grammar(commands: "_SubParsersAction[ArgumentParser]") -> list[ArgumentParser]:
    """Add `demo` and `jobs` to the command line; returns the commands that can answer for machines."""
    demo = commands.add_parser("demo", help="invented shops that show what the program does: seed, reset")
    kinds = demo.add_subparsers(dest="action", required=True)
    seed = kinds.add_parser("seed", help="open a new demo shop: six months that end today")
    reset = kinds.add_parser("reset", help="close every demo shop, and no other, and open a new one")
    for command in (seed, reset):
        command.add_argument("--seed", type=int, default=USUAL_SEED, help="equal numbers give equal shops")
    jobs = commands.add_parser("jobs", help="work that was given up: list, retry").add_subparsers(
        dest="action", required=True
    )
    listing = jobs.add_parser("list", help="jobs that were given up, newest first")
    listing.add_argument("--all", action="store_true", help="those that wait, run or are done, too")
    again = jobs.add_parser("retry", help="have a job that was given up tried again")
    again.add_argument("id", metavar="ID", type=uuid.UUID)
    return [seed, reset, listing, again]


def run_demo(container: Container, args: Namespace, say: Say) -> None:
    """Open a demo shop and print how to log in, after closing the others if that was asked for."""
    if not container.settings.demo_allowed:
        raise DemoNotAllowed
    store = container.store(pool_size=2)
    meta = Metadata(actor="operator", request_id=str(uuid.uuid4()))
    closed = close_demos(store, meta) if args.action == "reset" else []
    demo = open_demo(store, container.files(store), args.seed, meta)
    keep_login(container.settings, demo)
    shown = wait_until_shown(store, demo.business_id, _PATIENCE) is not None
    lines = [f"demo shop {demo.business_id}: {demo.email}, password {demo.password} (told this once)"]
    if closed:
        lines.insert(0, f"closed: {', '.join(map(str, closed))}")
    if not shown:
        lines.append("It is furnished once the worker, policies and projector processes run.")
    say(args, {**demo._asdict(), "closed": closed, "shown": shown}, "\n".join(lines))
    store.close()


def run_jobs(container: Container, args: Namespace, say: Say) -> None:
    """List jobs, or have one tried again; raises JobNotFound, JobNotFailed."""
    store = container.store(pool_size=1)
    if args.action == "retry":
        meta = Metadata(actor="operator", command_id=str(uuid.uuid4()))
        done = retry_job(CommandContext(store, None, meta), args.id).data
        say(args, done._asdict(), f"{done.kind} of {done.subject} will be tried again")
    else:
        with store.cursor() as cursor:
            found = cursor.execute(SELECT_JOBS, (args.all, _MOST_LISTED)).fetchall()
        lines = [_line(job) for job in found]
        say(args, {"jobs": found}, "\n".join(lines) or "no job was given up")
    store.close()


def _line(job: dict[str, Any]) -> str:
    about = f"{job['id']}  {job['state']:<7}  {job['kind']} of {job['subject']}, business {job['business_id']}"
    return f"{about}, {job['attempts']} attempts: {job['error']}" if job["error"] else about
