"""Why a process or command cannot run."""

from collections.abc import Sequence


class CannotStart(Exception):
    """Something is missing or taken; the message says what, and what to do."""


class NotMigrated(CannotStart):
    """The database lacks migrations of this release."""

    def __init__(self, missing: Sequence[str]) -> None:
        """Name the first of the `missing` ones."""
        super().__init__(
            f"The database is not that of this release: run `smartmarket migrate` first. It lacks {len(missing)} "
            f"migrations, the first is {missing[0]}."
        )
