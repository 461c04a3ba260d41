"""GET /proofs/{position} for owners and staff, /admin/log, and what health and metrics say about the log."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from shared.eventstore.checkpoints import Checkpoint, FileAnchor
from shared.eventstore.log_tree import CheckpointWriter
from smartmarket.processes import log_audit
from tests.support.application import RunningSystem
from tests.support.shops import Shop
from tests.support.staff import staff_headers


@pytest.fixture
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


@pytest.fixture
def checkpoint(running: RunningSystem, shop: Shop, tmp_path: Path) -> Checkpoint:
    """A signed checkpoint that covers the shop's registration."""
    with running.container.connect() as conn:
        written = CheckpointWriter(FileAnchor(tmp_path / "log"), running.container.checkpoint_key()).write(conn)
    assert written
    assert shop.headers
    return written


def own_position(running: RunningSystem, shop: Shop) -> int:
    with running.container.connect() as conn:
        found = conn.execute("SELECT max(notification_id) FROM log.events WHERE business_id = %s", (shop.business_id,))
        ((position,),) = found.fetchall()
    return int(position)


def test_an_owner_gets_a_proof_that_verifies_offline(
    client: httpx.Client, running: RunningSystem, shop: Shop, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    position = own_position(running, shop)
    answer = client.get(f"/api/proofs/{position}?since=1&content=true", headers=shop.headers)
    assert answer.status_code == 200, answer.text
    proof = answer.json()["data"]
    assert (proof["position"], proof["checkpoint"]["size"]) == (position, checkpoint.size)
    for part in ("path", "consistency"):
        assert len(json.dumps(proof[part])) <= 2000
    (tmp_path / "proof.json").write_text(answer.text)
    key = running.container.checkpoint_key().public.hex()
    command = [sys.executable, "-I", "-S", "samples/verify_proof.py", str(tmp_path / "proof.json"), "--public-key", key]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "proven\n"


@pytest.mark.usefixtures("checkpoint")
def test_another_shop_s_event_looks_like_one_that_does_not_exist(
    client: httpx.Client, running: RunningSystem, shop: Shop, other_shop: Shop, staff: dict[str, str]
) -> None:
    position = own_position(running, shop)
    theirs, none = (client.get(f"/api/proofs/{p}", headers=other_shop.headers) for p in (position, 2**62))
    assert (theirs.status_code, theirs.json()["error_code"]) == (404, "NOT_FOUND")
    assert (none.status_code, none.json()["message"]) == (404, theirs.json()["message"])
    assert client.get(f"/api/proofs/{position}").status_code == 401
    assert client.get(f"/api/proofs/{position}", headers=staff).status_code == 200


def test_an_event_after_the_last_checkpoint_is_not_proven_yet(
    client: httpx.Client, running: RunningSystem, checkpoint: Checkpoint, shop: Shop
) -> None:
    changed = client.patch("/api/business/profile", json={"city": "Khulna"}, headers=shop.headers)
    assert changed.status_code == 200
    answer = client.get(f"/api/proofs/{own_position(running, shop)}", headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "PROOF_NOT_READY")
    assert answer.headers["Retry-After"] == "60"
    too_new = client.get(f"/api/proofs/1?since={checkpoint.size + 1}", headers=shop.headers)
    assert too_new.status_code in {404, 409}


@pytest.mark.parametrize("path", ["0", "-1", "x", "9223372036854775808", "1?since=0", "1?since=x", "1?until=2"])
def test_a_malformed_position_is_refused(client: httpx.Client, shop: Shop, path: str) -> None:
    answer = client.get(f"/api/proofs/{path}", headers=shop.headers)
    assert answer.status_code == 400, answer.text


def test_staff_see_the_log_and_its_verification(
    client: httpx.Client, running: RunningSystem, checkpoint: Checkpoint, shop: Shop, staff: dict[str, str]
) -> None:
    assert client.get("/api/admin/log", headers=shop.headers).status_code == 403
    audit = log_audit(running.container)
    with running.container.connect() as conn:
        found = audit.verify(conn)
    answer = client.get("/api/admin/log", headers=staff).json()["data"]
    assert answer["checkpoint"]["root"] == checkpoint.root.hex()
    assert (answer["findings"], answer["verified_at"] is not None) == ([f._asdict() for f in found], True)
    assert 'smartmarket_log_findings{shard="0"}' in client.get("/metrics").text
    assert f'smartmarket_log_checkpoint_events{{shard="0"}} {float(checkpoint.size)}' in client.get("/metrics").text
