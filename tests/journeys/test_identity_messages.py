"""Reset codes on their way: through a real SMTP server, and to a webhook that sends SMS."""

import logging
import re
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from tests.support.identity_api import bearer, logged_in, registered, serving
from tests.support.mail_servers import HOST, certificate, mail_server, webhook
from tests.support.waiting import wait_until
from write_side.identity.credentials.senders import Delivery, Recipient, Sender, SmsSender, SmtpSender
from write_side.identity.router import sender

FROM = "SmartMarket <no-reply@shop.bd>"
OWNER = Recipient("owner@shop.bd", "bn", "+8801712345678")
AGE = "UPDATE log.events SET recorded_at = recorded_at - interval '8 days'"


def trusting(context: ssl.SSLContext) -> Callable[[], ssl.SSLContext]:
    return lambda: context


def test_a_forgotten_password_is_replaced_by_a_code_that_came_by_mail(container: Container, store: EventStore) -> None:
    with mail_server() as box:
        changes = {"smtp_url": f"smtp+plain://{HOST}:{box.port}", "mail_from": FROM}
        with serving(Container(container.settings.model_copy(update=changes)), store) as api:
            del api.app.dependency_overrides[sender]
            client = api.client()
            email = registered(client, language="en")["user"]["email"]
            assert client.post("/api/auth/password/reset-request", json={"email": email}).status_code == 202
            wait_until(lambda: len(box.mails) == 1)
            (mail,) = box.mails
            assert (mail["To"], mail["From"]) == (email, FROM)
            assert mail["Auto-Submitted"] == "auto-generated"
            code = re.findall(r"\b[2-9A-Z]{8}\b", mail.get_content())[0]
            assert code in mail["Subject"]
            body = {"email": email, "code": code, "new_password": "another pass 12"}
            assert client.post("/api/auth/password/reset", json=body).status_code == 200
            assert logged_in(client, email, "another pass 12").status_code == 200


def test_a_login_at_the_mail_server_is_sent_through_tls_alone(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with mail_server(starttls=server) as box:
        url = f"smtp://app:s3cret%2F%26@{HOST}:{box.port}"
        SmtpSender(url, FROM, trusting(client)).send_reset_code(OWNER, "7KQ2M9XA")
        assert box.logins == [(b"app", b"s3cret/&")]
        assert "7KQ2M9XA" in box.mails[0].get_content()
        assert "পাসওয়ার্ডের" in box.mails[0].get_content()
        with pytest.raises(ssl.SSLCertVerificationError):
            SmtpSender(url, FROM).send_reset_code(OWNER, "7KQ2M9XA")
    with mail_server(tls=server) as box:
        SmtpSender(f"smtps://{HOST}:{box.port}", FROM, trusting(client)).send_reset_code(OWNER, "7KQ2M9XA")
        assert len(box.mails) == 1


def test_nothing_is_sent_through_a_server_that_offers_no_tls(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server() as box:
        way = SmtpSender(f"smtp://app:s3cret@{HOST}:{box.port}", FROM)
        Delivery([way], pauses=()).send_reset_code(OWNER, "7KQ2M9XA")
        assert (box.mails, box.logins) == ([], [])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_message_refused_for_now_is_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server() as box, webhook() as hook:
        box.refusals, hook.statuses = 1, [503]
        mail = SmtpSender(f"smtp+plain://{HOST}:{box.port}", FROM)
        ways: list[Sender] = [mail, SmsSender(hook.url, "a-token-of-the-tests")]
        Delivery(ways, pauses=(0.0,)).send_reset_code(OWNER, "7KQ2M9XA")
        assert (len(box.mails), len(hook.posts)) == (1, 2)
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]
    assert "7KQ2M9XA" not in caplog.text
    assert "owner@shop.bd" not in caplog.text


def test_one_way_that_fails_keeps_no_other_from_sending(caplog: pytest.LogCaptureFixture) -> None:
    with webhook() as hook:
        ways: list[Sender] = [SmtpSender(f"smtp+plain://{HOST}:1", FROM), SmsSender(hook.url, "a-token-of-the-tests")]
        Delivery(ways, pauses=()).send_reset_code(OWNER, "7KQ2M9XA")
        ((authorization, message),) = hook.posts
    assert authorization == "Bearer a-token-of-the-tests"
    assert message == {
        "to": "+8801712345678",
        "text": "SmartMarket কোড: 7KQ2M9XA। ১০ মিনিট চলবে। কাউকে দেবেন না।",
        "language": "bn",
    }
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_phone_number_gets_codes_once_it_is_a_week_old(container: Container, store: EventStore) -> None:
    with serving(container, store) as api:
        client = api.client()
        data = registered(client)
        headers = bearer(data["tokens"]["access_token"])

        def sent_to() -> str | None:
            before = len(api.outbox.sent)
            api.sql("UPDATE credentials.resets SET expires_at = expires_at - interval '2 minutes'")
            client.post("/api/auth/password/reset-request", json={"email": data["user"]["email"]})
            wait_until(lambda: len(api.outbox.sent) > before)
            return api.outbox.phones[-1]

        def enter(number: str) -> None:
            answer = client.patch("/api/business/profile", json={"phone_number": number}, headers=headers)
            assert answer.status_code == 200

        assert sent_to() is None
        enter("+8801712345678")
        assert sent_to() is None, "a number that was just entered may be a thief's"
        api.as_owner(AGE)
        assert sent_to() == "+8801712345678"
        enter("+8801999999999")
        assert sent_to() is None
        enter("+8801712345678")
        assert sent_to() == "+8801712345678"
