from collections.abc import Iterator

import pytest

from shared.postgres.database import migrate
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """An empty log and the first generation of every projection."""
    opened = World(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_world(services: Services, template: str) -> Iterator[World]:
    """A database for tests that take businesses of their own."""
    url = fresh_database(services.database_url, template)
    migrate(url)  # a copy has to grant again who may make schemas in it
    opened = World(url)
    yield opened
    opened.close()
    drop_database(url)
