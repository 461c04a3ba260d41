"""What an owner and an operator do with the example domain of `docs/example`, once it is copied into the repository.

`python -m tests.support.example_steps DATABASE_URL REDIS_URL` prints the results of the steps as JSON. The domain is
used by name only, since this module is also read where the example is not installed.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import httpx

import projections.registry
from projections.operations import request_runner, time_travel
from projections.operations.rebuild import rebuild
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.runtime.container import Container
from smartmarket.api import build_api
from smartmarket.migration import run_migrate
from smartmarket.read_models import source_of
from tests.support.application import project_to_head, settings_for
from tests.support.conformance import conformant
from tests.support.in_process import in_process
from tests.support.servers import Services
from tests.support.shops import Shop, register
from tests.support.staff import staff_headers
from write_side.indexes import rebuild_indexes


class Steps:
    """Commands, queries and operations on the notes of one shop."""

    def __init__(self, container: Container, client: httpx.Client, shop: Shop) -> None:
        """Work on the database of `container` by requests of `client` and, for other processes, in this thread."""
        self.container = container
        self.source = source_of(container)
        self.client = client
        self.shop = shop
        self.operator = staff_headers(container.settings)

    def add(self, text: str) -> dict[str, Any]:
        """Add a note and project it; returns the note as its command and the query that waits for it answer."""
        answer = self.client.post("/api/notes", json={"text": text}, headers=self.shop.headers)
        project_to_head(self.container.url)
        position = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
        return {"status": answer.status_code, "added": data(answer), "listed": self.listed(position)}

    def listed(self, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the notes of the shop."""
        return data(self.client.get("/api/notes", headers=self.shop.headers | (headers or {})))["results"]

    def rebuilt(self) -> dict[str, Any]:
        """Rebuild the read model and the write-side indexes, then verify."""
        schema = rebuild(self.source, REGISTRY["notes"], workers=0).schema
        with self.container.connect_owner() as conn:
            rebuild_indexes(conn)
        verified = verify(self.source, REGISTRY["notes"])
        return {"schema": schema, "listed": self.listed(), "rows": verified.rows, "differing": verified.differing}

    def previewed(self, projection: str) -> dict[str, Any]:
        """Request a preview of a projection with other rules; returns the refusal, or the state of what was made."""
        path = f"/api/admin/projections/{projection}/preview"
        answer = self.client.post(path, json={"rule": "rfm.v2"}, headers=self.operator)
        if answer.status_code != 202:
            return {"status": answer.status_code, "body": answer.json()}
        with self.source.connect() as conn:
            request_runner.make_next(conn, self.source)
        made = f"/api/admin/generations/{data(answer)['generation_id']}"
        return {"status": 202, "state": data(self.client.get(made, headers=self.operator))["state"]}

    def as_of(self, moment: dt.datetime) -> Any:  # noqa: ANN401 - JSON
        """Return the notes as they were known at a moment."""
        answer = self.client.post("/api/replays", json={"as_of": moment.isoformat()}, headers=self.shop.headers)
        time_travel.make_next(self.source)
        return self.listed({"X-Replay": data(answer)["id"]})

    def explained(self) -> dict[str, Any]:
        """Return the explanation of the first note."""
        query = {"table": "notes", "business_id": str(self.shop.business_id), "id": "1"}
        found = data(self.client.get("/api/admin/explain", params=query, headers=self.operator))
        steps = [(step["title"], step["changed"]["text"]) for step in found["steps"]]
        return {"row": found["row"]["text"], "steps": steps, "unexplained": found["unexplained"]}

    def audited(self) -> list[str]:
        """Return the audited actions of the shop."""
        found = data(self.client.get("/api/admin/audit", headers=self.operator))["results"]
        return [entry["action"] for entry in found]


def data(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Return the data of a successful answer."""
    assert answer.is_success, answer.text
    return answer.json()["data"]


def main(url: str, redis_url: str) -> None:
    """Print the results of all steps on an empty database."""
    container = Container(settings_for(url, Services(url, redis_url, redis_url)))
    migrated, _ = run_migrate(container)
    with in_process(conformant(build_api(container)), headers={"Accept-Language": "en"}) as client:
        steps = Steps(container, client, register(client))
        first = steps.add("Order more tea")
        between = dt.datetime.now(dt.UTC)
        results = {
            "root": str(Path(projections.registry.__file__).parents[1]),
            "migrated": migrated["projections"],
            "first": first,
            "second": steps.add("Call the plumber"),
            "repeated": steps.add("Order more tea"),
            "rebuilt": steps.rebuilt(),
            "third": steps.add("Pay the rent"),
            "preview of notes": steps.previewed("notes"),
            "preview of customers": steps.previewed("customers"),
            "as of the first": steps.as_of(between),
            "explained": steps.explained(),
            "audited": steps.audited(),
        }
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
