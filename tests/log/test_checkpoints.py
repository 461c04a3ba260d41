import base64
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from shared.eventstore.checkpoints import Anchor, CheckpointKey, DamagedCheckpoint, FileAnchor, open_anchor
from shared.eventstore.hash_chain import ChainBreak, verify_chain
from shared.eventstore.log_tree import CheckpointWriter, LogAltered, StoredTree
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore
from shared.postgres.database import WRITER
from tests.support.log_facts import connected, stored

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = CheckpointKey(b"k" * 32)
OTHER_KEY = CheckpointKey(b"o" * 32)
# Recalculates every hash of the log, as someone would who owns the database.
REWRITE = """DO $$ DECLARE e record; last bytea := '\\x'; BEGIN
    FOR e IN SELECT * FROM log.events ORDER BY notification_id LOOP
        last := sha256(last || convert_to(jsonb_build_array(e.notification_id, e.originator_id, e.originator_version,
            e.topic, e.business_id, (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.meta)::text, 'UTF8')
            || e.state);
        UPDATE log.events SET hash = last WHERE notification_id = e.notification_id;
    END LOOP;
END $$"""
COLUMNS = {
    "state": "set_byte(state, length(state) / 2, (get_byte(state, length(state) / 2) + {}) % 256)",
    "topic": "topic || '{}'",
    "originator_id": "originator_id || '-{}'",
    "originator_version": "originator_version + 1000 + {}",
    "business_id": "coalesce(business_id, 0) + {}",
    "recorded_at": "recorded_at + {} * interval '1 second'",
    "meta": "meta || '{{\"n\": {}}}'",
    "hash": "sha256(hash || '{}')",
}


def fill(store: EventStore, events: int, *, first: int = 1) -> None:
    """Append to one stream in portions of 50."""
    for start in range(first, first + events, 50):
        portion = [stored("a", version, version) for version in range(start, min(start + 50, first + events))]
        store.recorder.insert_events(portion, append=Append(start % 3 or None, {"actor": "user-1"}))


@pytest.fixture(params=["file", "objects"])
def anchor(request: pytest.FixtureRequest, tmp_path: Path) -> Anchor:
    """Where checkpoints are kept: in a file, or in a folder in place of an object store."""
    return open_anchor("" if request.param == "file" else f"file://{tmp_path}", tmp_path)


def test_checkpoints_follow_the_log_and_verify_it(store: EventStore, database_url: str, anchor: Anchor) -> None:
    with connected(database_url, WRITER) as conn:
        assert CheckpointWriter(anchor, KEY).write(conn) is None
        for total, added in ((1, 1), (255, 254), (256, 1), (700, 444), (1100, 400)):
            fill(store, added, first=total - added + 1)
            writer = CheckpointWriter(anchor, KEY)  # as after a restart
            written = writer.write(conn)
            assert written is not None
            assert (written.size, KEY.has_signed(written), OTHER_KEY.has_signed(written)) == (total, True, False)
            assert writer.write(conn) is None
        assert [c.size for c in anchor.read()] == [1, 255, 256, 700, 1100]
        assert verify_chain(conn, checkpoints=anchor.read(), key=KEY) is None
        assert verify_chain(conn, checkpoints=anchor.read(), key=OTHER_KEY) == ChainBreak(1, "forged")


def test_a_tree_that_was_lost_is_calculated_again(store: EventStore, database_url: str, tmp_path: Path) -> None:
    writer = CheckpointWriter(FileAnchor(tmp_path / "checkpoints"), KEY)
    with connected(database_url) as owner:
        fill(store, 600)
        writer.write(owner)
        before = owner.execute("TABLE audit.tree").fetchall()
        owner.execute("TRUNCATE audit.tree")
        fill(store, 1, first=601)
        assert writer.write(owner) is not None
        assert sorted(owner.execute("TABLE audit.tree").fetchall()) == sorted(before)


def tamper(owner: Connection[Any], chance: random.Random, last: int) -> str:
    """Change something among the first `last` events; returns what."""
    position, number = chance.randint(1, last), chance.randint(1, 99)
    deed = chance.choice([*COLUMNS, "cut", "delete", "swap"])
    if deed in COLUMNS:
        change = COLUMNS[deed].format(number)
        owner.execute(f"UPDATE log.events SET {deed} = {change} WHERE notification_id = {position}".encode())  # noqa: S608 - constants
    elif deed == "cut":
        owner.execute("DELETE FROM log.events WHERE notification_id >= %s", (position,))
    elif deed == "delete":
        owner.execute("DELETE FROM log.events WHERE notification_id = %s", (position,))
        owner.execute(
            "UPDATE log.events SET notification_id = notification_id - 1 WHERE notification_id > %s", (position,)
        )
    else:
        other = position % last + 1
        for old, new in ((position, 0), (other, position), (0, other)):
            owner.execute("UPDATE log.events SET notification_id = %s WHERE notification_id = %s", (new, old))
    if deed != "hash" and chance.random() < 0.5:
        owner.execute(REWRITE)
        deed += ", all hashes rewritten"
    return deed


def test_a_thousand_tamperings_are_found_by_one_old_checkpoint(
    store: EventStore, database_url: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)  # noqa: S311 - which tamperings are tried
    chance = random.Random(seed)  # noqa: S311 - likewise
    anchor = FileAnchor(tmp_path / "checkpoints")
    fill(store, 40)
    with connected(database_url) as owner:
        owner.execute("ALTER TABLE log.events DROP CONSTRAINT events_pkey")
        assert CheckpointWriter(anchor, KEY).write(owner)
        fill(store, 20, first=41)
        assert verify_chain(owner, checkpoints=anchor.read(), key=KEY) is None
        for number in range(1000):
            with owner.transaction(force_rollback=True):
                deed = tamper(owner, chance, 40)
                assert verify_chain(owner, checkpoints=anchor.read(), key=KEY), (seed, number, deed)


def test_no_checkpoint_is_signed_for_a_log_that_was_rewritten_or_cut(
    store: EventStore, database_url: str, tmp_path: Path
) -> None:
    writer = CheckpointWriter(FileAnchor(tmp_path / "checkpoints"), KEY)
    fill(store, 300)
    with connected(database_url) as owner:
        writer.write(owner)
        with owner.transaction(force_rollback=True):
            owner.execute("DELETE FROM log.events WHERE notification_id > 299")
            with pytest.raises(LogAltered, match="has 299 events"):
                writer.write(owner)
        owner.execute("UPDATE log.events SET meta = '{}' WHERE notification_id = 280")
        owner.execute(REWRITE)
        fill(store, 1, first=301)
        assert verify_chain(owner) is None  # without a checkpoint nothing is noticed
        with pytest.raises(LogAltered, match="first 300 events"):
            writer.write(owner)


def test_a_torn_line_is_no_checkpoint_and_a_damaged_one_is_reported(
    store: EventStore, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "checkpoints.jsonl"
    anchor = FileAnchor(path)
    fill(store, 3)
    with connected(database_url, WRITER) as conn:
        CheckpointWriter(anchor, KEY).write(conn)
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"shard": 0, "si')
        assert len(list(anchor.read())) == 1
        fill(store, 2, first=4)
        CheckpointWriter(anchor, KEY).write(conn)
    assert [c.size for c in anchor.read()] == [3, 5]
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(DamagedCheckpoint, match="line 1"):
        list(anchor.read())


def proof_of(conn: Connection[Any], position: int, since: int | None = None) -> dict[str, Any]:
    """Return a proof as the API answers it."""
    with conn.cursor(row_factory=dict_row) as cursor:
        tree = StoredTree(cursor)
        checkpoint = tree.checkpoint()
        assert checkpoint is not None
        found = tree.inclusion(position, checkpoint)
        older = tree.consistency(since, checkpoint) if since else []
    path, consistency = ([merkle_text(part) for part in parts] for parts in (found.path, older))
    return {
        "position": position,
        "hash": found.hash.hex(),
        "path": path,
        "checkpoint": json.loads(checkpoint.to_json()),
        "consistency": {"size": since, "path": consistency} if since else None,
    }


def merkle_text(found: bytes) -> str:
    return base64.b64encode(found).decode()


def spoiled(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def offline(tmp_path: Path, proof: dict[str, Any], kept: dict[str, Any] | None, public: bytes) -> tuple[int, str]:
    """Return what the verifier of the samples says, in a Python without any package."""
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    command = [
        sys.executable,
        "-I",
        "-S",
        "samples/verify_proof.py",
        str(tmp_path / "proof.json"),
        "--public-key",
        public.hex(),
    ]
    done = subprocess.run(
        command + (["--checkpoint", str(tmp_path / "kept.json")] if kept else []),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("old", "size"), [(1, 2), (255, 700), (256, 512), (300, 1000)])
def test_proofs_are_verified_offline(store: EventStore, database_url: str, tmp_path: Path, old: int, size: int) -> None:
    anchor = FileAnchor(tmp_path / "checkpoints")
    writer = CheckpointWriter(anchor, KEY)
    with connected(database_url) as owner:
        fill(store, old)
        kept = writer.write(owner)
        assert kept is not None
        fill(store, size - old, first=old + 1)
        writer.write(owner)
        known = json.loads(kept.to_json())
        for position in (1, old, size // 2 + 1, size):
            proof = proof_of(owner, position, old)
            assert len(json.dumps(proof["path"])) <= 2000
            assert len(json.dumps(proof["consistency"])) <= 2000
            assert offline(tmp_path, proof, known, KEY.public) == (0, "proven\n")
        proof = proof_of(owner, 1, old)
    spoilings: dict[str, Callable[[dict[str, Any]], Any]] = {
        "is not in the log": lambda p: p.update(hash=spoiled(p["hash"])),
        "not signed by this key": lambda p: p["checkpoint"].update(root=spoiled(p["checkpoint"]["root"])),
        "ask for the proof with since": lambda p: p["consistency"].update(size=old + 1),
        "no longer begins|proof of consistency": lambda p: p["consistency"]["path"].pop(0),
        "cannot be read": lambda p: p.pop("path"),
    }
    for reason, spoil in spoilings.items():
        proof_again = json.loads(json.dumps(proof))
        spoil(proof_again)
        code, said = offline(tmp_path, proof_again, known, KEY.public)
        assert code, reason
        assert any(part in said for part in reason.split("|")), (reason, said)
    assert offline(tmp_path, proof, known, OTHER_KEY.public)[0] == 1


def test_an_event_s_content_is_proven_with_its_hash(store: EventStore, database_url: str, tmp_path: Path) -> None:
    fill(store, 2)
    with connected(database_url) as owner:
        CheckpointWriter(FileAnchor(tmp_path / "checkpoints"), KEY).write(owner)
        (first, second), content = (bytes(h) for (h,) in owner.execute("SELECT hash FROM log.events")), b""
        proof = proof_of(owner, 2)
        place = owner.execute(
            """SELECT convert_to(jsonb_build_array(notification_id, originator_id, originator_version, topic,
                business_id, (extract(epoch FROM recorded_at) * 1000000)::bigint, meta)::text, 'UTF8') || state
            FROM log.events WHERE notification_id = 2"""
        ).fetchone()
        assert place is not None
        content = bytes(place[0])
    assert hashlib.sha256(first + content).digest() == second
    proof |= {"previous_hash": first.hex(), "content": merkle_text(content)}
    assert offline(tmp_path, proof, None, KEY.public) == (0, "proven\n")
    proof["content"] = merkle_text(content + b" ")
    assert offline(tmp_path, proof, None, KEY.public)[0] == 1
