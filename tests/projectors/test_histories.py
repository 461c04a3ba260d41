from collections.abc import Iterator
from itertools import count, cycle
from multiprocessing import get_context
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.engine import generation_schemas, replayer
from projections.engine.applier import Applier
from projections.engine.generations import Origin
from projections.operations import rebuild
from projections.registry import REGISTRY
from shared.eventstore.system_events import DayOpened
from shared.postgres.database import SHARDS
from shared.postgres.generation_states import GenerationState
from tests.support.histories import TODAY, histories
from tests.support.properties import examples
from tests.support.world import World, differences

_shops = count(1)


class Unserved(NamedTuple):
    """A generation that businesses are replayed into, one after the other, and the live writers of one that serves."""

    schema: str
    worker: replayer.Worker
    live: list[Applier]


@pytest.fixture(scope="module")
def unserved_by_name(shared_world: World) -> Iterator[dict[str, Unserved]]:
    """Both writers of each projection, as two processes that share the shards have them."""
    shared_world.append(None, DayOpened(TODAY[0]))  # else the first shops' day would be that of the machine's clock
    folded = get_context("spawn").Value("q", 0)
    made = {}
    for name, projection in REGISTRY.items():
        with shared_world.conn.transaction():
            _, schema = generation_schemas.create(shared_world.conn, projection, Origin(state=GenerationState.RETIRED))
        worker = replayer.Worker(replayer.Target(shared_world.source, projection, schema, 2**62), folded)
        made[name] = Unserved(schema, worker, [shared_world.applier(name), shared_world.applier(name)])
    yield made
    for unserved in made.values():
        unserved.worker.conn.close()


@st.composite
def _some_shops(draw: st.DrawFn) -> list[int]:
    # Shops 16 apart share a shard.
    first = 100 * next(_shops)
    return [first + offset for offset in draw(st.sampled_from([[0], [0, 16], [3, 5, 21]]))]


@pytest.mark.timeout(400)  # for making a counterexample smaller; without one it takes seconds
@settings(max_examples=examples(15), deadline=None)
@given(data=st.data(), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), spill=st.sampled_from([1, 5, 20_000]))
def test_live_tables_replayed_tables_and_the_model_agree(
    shared_world: World, unserved_by_name: dict[str, Unserved], data: st.DataObject, sizes: list[int], spill: int
) -> None:
    businesses = data.draw(_some_shops())
    shared_world.record(data.draw(histories(businesses)))
    chunk = data.draw(st.integers(1, 5))
    for name, unserved in unserved_by_name.items():
        _apply_in_two_processes(shared_world, unserved, sizes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replayer, "_SPILL_ROWS", spill)
            patch.setattr(replayer, "_CHUNK", chunk)
            for business in businesses:
                unserved.worker.replay(business)
        rebuild.apply_removals(shared_world.conn, REGISTRY[name], unserved.schema)
        expected = shared_world.expected(name, businesses)
        assert differences(shared_world.rows(name, businesses=businesses), expected) == {}, "live"
        assert differences(shared_world.rows(name, unserved.schema, businesses), expected) == {}, "replayed"
        assert shared_world.parked(name) == {}


def _apply_in_two_processes(world: World, unserved: Unserved, sizes: list[int]) -> None:
    """Apply the rest of the log, the shards divided between two writers that are not equally far."""
    shares = [unserved.live[part].positions(range(part, SHARDS, 2)) for part in (0, 1)]
    limits = cycle(sizes)
    waiting = [0, 1]
    while waiting:
        part = waiting.pop(0)
        applier, positions = unserved.live[part], shares[part]
        if events := applier.reader.after(world.conn, min(positions.values()), limit=next(limits)):
            shares[part] = applier.apply(events, positions)
            waiting.append(part)
