"""The clock on the command line."""

import getpass
from contextlib import closing

from shared.eventstore.store import Metadata
from shared.runtime.business_day import ZONE, date_of, local_text
from shared.runtime.container import Container
from shared.runtime.output import Output
from write_side.clock import handlers

# Selects the clock, and how it differs from the log.
SELECT_STANDING = "SELECT log.clock() AS clock, behind, jumped FROM jobs.clock_standing(%s)"


def show(container: Container, output: Output) -> None:
    """Write the clock, the open day, and what is wrong with them."""
    with closing(container.store(pool_size=1)) as store:
        day, _ = store.execute(None, Metadata(), handlers.last_day).result
        with store.cursor() as cursor:
            (row,) = cursor.execute(SELECT_STANDING, (ZONE,)).fetchall()
    data = {
        "clock": local_text(row["clock"]),
        "day": str(day) if day else None,
        "behind_seconds": round(row["behind"]),
        "jumped_seconds": round(row["jumped"]),
    }
    said = "The clock and the open day agree."
    if row["jumped"]:
        said = "The clock was set while the machine ran: no day is opened."
    elif day and day > date_of(row["clock"]):
        said = "A later day is open than the clock shows."
    elif data["behind_seconds"]:
        said = "The newest event is stamped later than the clock shows."
    if row["jumped"] or data["behind_seconds"]:
        said += " If the clock is right now, run `smartmarket clock correct`; else set it right."
    output.answer(data, f"Clock {data['clock']}, open day {data['day']}. {said}")


def correct(container: Container, output: Output) -> None:
    """Accept the clock, correct the day if that is needed, and write what was done."""
    with closing(container.store(pool_size=1)) as store:
        done = handlers.correct(store, getpass.getuser())
    wrong = f", instead of {done['instead_of']}" if done["instead_of"] else ""
    output.answer(done, f"The clock is accepted; the day is {done['date']}{wrong}.")
