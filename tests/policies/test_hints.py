import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kombu import Connection

from shared.jobs.broker import BrokerDown, WakeupPublisher, WakeupReceiver, queue_name
from tests.support.brokers import closed_port, is_down, rabbitmq, received, remove, waiting
from tests.support.gate import before_broker
from tests.support.servers import Services
from tests.support.waiting import wait_until

SOON = 6.0


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, services: Services) -> str:
    return services.redis_url if request.param == "redis" else rabbitmq(services)


@pytest.fixture
def queue(broker: str) -> Iterator[str]:
    name = f"smartmarket.test.{uuid.uuid4()}"
    yield name
    remove(broker, name)


@pytest.fixture
def sender(broker: str, queue: str) -> Iterator[WakeupPublisher]:
    opened = WakeupPublisher(broker, queue)
    yield opened
    opened.close()


@pytest.fixture
def receiver(broker: str, queue: str) -> Iterator[WakeupReceiver]:
    opened = WakeupReceiver(broker, queue)
    yield opened
    opened.close()


def test_each_hint_reaches_one_receiver_once(
    broker: str, queue: str, sender: WakeupPublisher, receiver: WakeupReceiver
) -> None:
    jobs = [uuid.uuid4() for _ in range(20)]
    assert sender.send(jobs[:10]) is True
    assert sender.send(jobs[10:]) is True
    other = WakeupReceiver(broker, queue)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(received, (receiver, other)))
    other.close()
    assert sorted(found[0] + found[1]) == sorted(jobs)


def test_a_hint_is_acknowledged_before_it_is_acted_on(
    broker: str, queue: str, sender: WakeupPublisher, receiver: WakeupReceiver
) -> None:
    def die(_: uuid.UUID) -> None:
        raise ZeroDivisionError

    sender.send([uuid.uuid4()])
    with pytest.raises(ZeroDivisionError):
        receiver.receive(SOON, die)
    receiver.close()
    assert received(receiver) == []
    assert waiting(broker, queue) == 0


def test_a_receiver_that_works_keeps_no_hint_from_another(
    broker: str, queue: str, sender: WakeupPublisher, receiver: WakeupReceiver
) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    sender.send([first, second])
    done, acted = threading.Event(), threading.Event()

    def work(_: uuid.UUID) -> None:
        acted.set()
        assert done.wait(SOON)

    other = WakeupReceiver(broker, queue)
    found: list[uuid.UUID] = []
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(receiver.receive, SOON, work)
        assert acted.wait(SOON)
        other.receive(2.0, found.append)
        done.set()
        working.result()
    other.close()
    assert found == [second]


def test_a_wakeup_for_a_waiting_user_comes_first(sender: WakeupPublisher, receiver: WakeupReceiver) -> None:
    nightly, following, waited_for = ([uuid.uuid4() for _ in range(3)] for _ in range(3))
    for priority, jobs in ((2, nightly), (1, following), (0, waited_for)):
        assert sender.send(jobs, priority)
    assert received(receiver) == [*waited_for, *following, *nightly]
    receiver.close()  # else it would have taken one
    sender.send(nightly, 2)
    assert sender.take_back()
    assert received(receiver) == []


def test_a_malformed_wakeup_is_skipped(
    broker: str, queue: str, sender: WakeupPublisher, receiver: WakeupReceiver
) -> None:
    job = uuid.uuid4()
    sender.send([])
    with Connection(broker) as connection:
        connection.Producer().publish("no job id", exchange="", routing_key=queue)
        connection.Producer().publish({"id": 1}, exchange="", routing_key=queue)
        foreign = {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
        connection.Producer().publish(b"\x80\x04.", exchange="", routing_key=queue, **foreign)
    sender.send([job])
    assert received(receiver) == [job]


def test_hints_flow_again_when_the_broker_is_back(broker: str, queue: str) -> None:
    gate, through_gate = before_broker(broker)
    sender, receiver = WakeupPublisher(through_gate, queue), WakeupReceiver(through_gate, queue)
    with gate:
        before, after = uuid.uuid4(), uuid.uuid4()
        assert sender.send([before])
        assert received(receiver, quiet=0.3) == [before]
        gate.shut()
        wait_until(lambda: is_down(receiver), SOON)
        assert sender.send([uuid.uuid4()]) is False
        gate.open()
        wait_until(lambda: sender.send([after]), SOON)
        wait_until(lambda: not is_down(receiver), SOON)
        assert received(receiver, quiet=0.3)[-1:] in ([after], [])
        again = uuid.uuid4()
        assert sender.send([again])
        assert again in received(receiver)
        sender.close()
        receiver.close()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_not_there_is_noticed_soon(scheme: str) -> None:
    url = closed_port(scheme)
    sender, receiver = WakeupPublisher(url, "q"), WakeupReceiver(url, "q")
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        sent = pool.submit(sender.send, [uuid.uuid4()])
        got = pool.submit(receiver.receive, 0.1, lambda _: None)
    assert sent.result() is False
    assert isinstance(got.exception(), BrokerDown)
    assert time.monotonic() - began < SOON


def test_installations_on_one_broker_have_separate_queues() -> None:
    assert queue_name("postgresql://u:p@h:5432/shops?sslmode=disable") == "smartmarket.hints.shops"
    assert queue_name("postgresql://u:p@h/others") != queue_name("postgresql://u:p@h/shops")
