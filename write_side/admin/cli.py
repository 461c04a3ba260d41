"""Demo shops and jobs on the command line."""

import uuid
from contextlib import closing
from typing import Any

from shared.domain.refusals.admin import DemoNotAllowed
from shared.eventstore.command import CommandContext
from shared.eventstore.store import Metadata
from shared.runtime.container import Container
from shared.runtime.output import Output
from write_side.admin import jobs_handlers
from write_side.demo.handlers import close_demos, open_demo, wait_until_shown
from write_side.demo.welcome import keep_login

_SHOWN_WITHIN_SECONDS = 60.0
_MOST_LISTED = 100

# Returns jobs that have failed for good, or all jobs, newest first.
SELECT_JOBS = """SELECT id, kind, subject, business_id, state, attempts + (state = 'failed')::integer AS attempts,
    error, created_at FROM jobs.jobs WHERE %s OR state = 'failed' ORDER BY position DESC, id DESC LIMIT %s"""


def seed_demo(container: Container, output: Output, seed: int, *, close_others: bool) -> None:
    """Open a demo shop and print its login, after closing all others if asked; raises DemoNotAllowed."""
    if not container.settings.demo_allowed:
        raise DemoNotAllowed
    with closing(container.store(pool_size=2)) as store:
        meta = Metadata(actor="operator", request_id=str(uuid.uuid4()))
        closed = close_demos(store, meta) if close_others else []
        demo = open_demo(store, container.files(store), seed, meta)
        keep_login(container.settings, demo)
        shown = wait_until_shown(store, demo.business_id, _SHOWN_WITHIN_SECONDS) is not None
    lines = [f"demo shop {demo.business_id}: {demo.email}, password {demo.password} (shown only now)"]
    if closed:
        lines.insert(0, f"closed: {', '.join(map(str, closed))}")
    if not shown:
        lines.append("Its data will appear once the worker, policies and projector processes run.")
    output.answer({**demo._asdict(), "closed": closed, "shown": shown}, "\n".join(lines))


def list_jobs(container: Container, output: Output, *, every: bool) -> None:
    """Print the newest jobs that have failed for good, or the newest of all."""
    with closing(container.store(pool_size=1)) as store, store.cursor() as cursor:
        found = cursor.execute(SELECT_JOBS, (every, _MOST_LISTED)).fetchall()
    none = "no jobs" if every else "no failed jobs"
    output.answer({"jobs": found}, "\n".join(map(_line, found)) or none)


def retry_job(container: Container, output: Output, job_id: uuid.UUID) -> None:
    """Have a failed job tried again; raises JobNotFound, JobNotFailed."""
    with closing(container.store(pool_size=1)) as store:
        meta = Metadata(actor="operator", command_id=str(uuid.uuid4()))
        done = jobs_handlers.retry_job(CommandContext(store, None, meta), job_id).data
    output.answer(done._asdict(), f"{done.kind} of {done.subject} will be tried again")


def _line(job: dict[str, Any]) -> str:
    about = f"{job['id']}  {job['state']:<7}  {job['kind']} of {job['subject']}, business {job['business_id']}"
    return f"{about}, {job['attempts']} attempts: {job['error']}" if job["error"] else about
