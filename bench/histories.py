"""Logs as imports of ledgers would have left them, appended without reading any file."""

import base64
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, islice

import msgspec

from bench.ledgers import Line
from shared.event_store import EventStore, Metadata, Unit
from shared.events.base import Event
from shared.events.sales import CustomersAdded, NewCustomer, NewProduct, ProductsAdded, Sale, SalesBatchRecorded

_BATCH_ROWS = 500
_BATCHES_PER_COMMAND = 20
_NAMES_PER_EVENT = 500
_FINGERPRINT = 12
