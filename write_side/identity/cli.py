"""Erasing a shop from the command line."""

import getpass
import uuid
from collections.abc import Callable
from contextlib import closing

from shared.domain.refusals.identity import NoBusinessToErase
from shared.eventstore.store import Metadata
from shared.runtime.container import Container
from shared.runtime.output import Output
from write_side.identity.business_aggregate import Business
from write_side.identity.erasure_handlers import erase_business
from write_side.identity.profile_handlers import business_of


def erase(container: Container, output: Output, business_id: int, confirmed: Callable[[str], None]) -> None:
    """Erase a shop for good and print what was done, after `confirmed`, which ends the command for a no.

    Raises NoBusinessToErase.
    """
    with closing(container.store(pool_size=2)) as store:
        shop = business_of(business_id, 0).current(store, None)
        if shop == Business():
            raise NoBusinessToErase(details={"business_id": business_id})
        if not shop.is_erased:
            confirmed(f"Erase business {business_id} ({shop.name}) with its books, files and account for good?")
        meta = Metadata(actor=getpass.getuser(), command_id=str(uuid.uuid4()))
        done = erase_business(store, container.files(store), business_id, meta)
    said = f"business {business_id} is erased; files deleted: {done.files}"
    output.answer(done._asdict(), said if done.erased else f"{said} (it had been erased before)")
