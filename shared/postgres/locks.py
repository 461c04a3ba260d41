"""Every advisory lock, in one list: two that took the same number would wait for each other."""

from enum import IntEnum


class Lock(IntEnum):
    """First key of each advisory lock, passed to SQL as a parameter.

    Functions under `functions/` cannot take parameters from here; a test compares the numbers they contain.
    """

    LOG = 7301
    """(LOG, 0), transaction: the order of positions, held from the last position read until the commit."""
    BUSINESS = 7302
    """`business_lock(id)`, transaction: one command of a business at a time."""
    POINTER = 7303
    """(POINTER, hash of projection): shared by each batch of a follower, exclusive for who moves the pointer."""
    FOLLOWERS = 7304
    """(FOLLOWERS, generation), shared, session: the processes that follow a generation, counted for a fair share."""
    SHARD = 7305
    """(SHARD, generation * shards + shard), session: the one process that writes the shard."""
    MIGRATION = 7306
    """MIGRATION alone, transaction: one migration of the database at a time."""
    REBUILD = 7307
    """(REBUILD, hash of projection): one rebuild, adoption or rollback of a projection at a time."""
    IMPORT = 7308
    """(IMPORT, business), session: one import of a business at a time."""
    GENERATION = 7309
    """(GENERATION, id), session: the process that builds a generation which does not serve."""
    REPLAY_REQUESTS = 7310
    """REPLAY_REQUESTS alone, transaction: replays are counted and inserted by one request at a time."""
    NIGHTLY = 7311
    """(NIGHTLY, 0), session: one nightly verification at a time."""
    REPLAY = 7312
    """(REPLAY, hash of id), session: the process that builds a replay."""
    CHECKPOINT = 7313
    """(CHECKPOINT, shard), transaction: one process extends the log's tree and writes its checkpoint at a time."""


def business_lock(business_id: int) -> int:
    """Return the 64-bit key that serialises the commands of a business: (BUSINESS, id) would hold 32-bit ids only."""
    return (Lock.BUSINESS << 40) + business_id
