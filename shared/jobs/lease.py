"""Keeps a job leased while its handler runs."""

import math
import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection

from shared.jobs import queue
from shared.runtime.loop import Loop


class LeaseRenewal(Loop):
    """Renews a lease three times per its length, over connections of its own, until stopped or the lease is lost."""

    retry_seconds = 0.0

    def __init__(
        self, connect: Callable[[], Connection[Any]], job: queue.Job, worker: str, stopping: Callable[[], bool]
    ) -> None:
        """Renew the lease that `worker` has just taken on `job`; `stopping` returns whether the worker is to stop."""
        super().__init__("lease renewal")
        self._connect = connect
        self._job = job
        self._worker = worker
        self._worker_stops = stopping
        self._until = time.monotonic() + queue.LEASE_SECONDS

    def held(self) -> bool:
        """Tell whether the handler may go on: the lease is held, and the worker is not to stop."""
        return time.monotonic() < self._until and not self._worker_stops()

    def step(self) -> None:
        """Renew the lease after a third of its length; one that has run out or is another worker's is given up."""
        if self.wait(queue.LEASE_SECONDS / 3):
            return
        began = time.monotonic()
        if began > self._until:
            self.stop()
            return
        with self._connect() as conn:
            renewed = queue.extend(conn, self._job, self._worker)
        self._until = began + queue.LEASE_SECONDS if renewed else -math.inf
