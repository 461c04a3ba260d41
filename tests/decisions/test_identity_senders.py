"""Where reset codes go: which sender the settings name, and whose failures count together."""

import logging

import pytest

from shared.runtime.settings import BadSettings, Settings
from write_side.identity.credentials.origins import Gate
from write_side.identity.credentials.senders import Delivery, NoSender, Recipient, SmsSender, SmtpSender, sender_of

OWNER = Recipient("owner@shop.bd", "bn", "+8801712345678")
MAIL = {"smtp_url": "smtps://app:s3cret@mail.example", "mail_from": "SmartMarket <no-reply@shop.bd>"}
SMS = {"sms_url": "https://sms.example/send", "sms_secret": "a-token-of-the-tests-20"}


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"env": "development"} | changes)


def test_in_development_the_reset_code_is_logged_with_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sender_of(settings()).send_reset_code(OWNER, "7KQ2M9XA")
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "7KQ2M9XA" in record.getMessage()
    assert "DEVELOPMENT ONLY" in record.getMessage()


@pytest.mark.parametrize("chosen", [{"env": "production"}, {"sender": "none"}, {"sender": "none", **MAIL}])
def test_an_installation_without_a_sender_warns_and_logs_no_code(
    chosen: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    sender = sender_of(settings(**chosen))
    assert isinstance(sender, NoSender)
    sender.send_reset_code(OWNER, "7KQ2M9XA")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "7KQ2M9XA" not in caplog.text
    assert "owner@shop.bd" not in caplog.text


def test_the_settings_name_the_ways_to_send() -> None:
    for chosen, ways in ((MAIL, [SmtpSender]), (SMS, [SmsSender]), (MAIL | SMS, [SmtpSender, SmsSender])):
        sender = sender_of(settings(**chosen))
        assert isinstance(sender, Delivery)
        assert [type(way) for way in sender.ways] == ways
        assert "s3cret" not in repr(sender)
        assert "a-token" not in repr(sender)


@pytest.mark.parametrize(
    ("chosen", "variable"),
    [
        ({"smtp_url": MAIL["smtp_url"]}, "SMARTMARKET_MAIL_FROM"),
        ({"sms_url": SMS["sms_url"]}, "SMARTMARKET_SMS_SECRET"),
    ],
)
def test_half_a_sender_is_refused_with_what_is_missing(chosen: dict[str, object], variable: str) -> None:
    with pytest.raises(BadSettings, match=variable):
        settings(**chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        {"smtp_url": "mail.example:25"},
        {"smtp_url": "https://mail.example"},
        {"mail_from": "nobody"},
        {"mail_from": "a@b.bd\r\nBcc: x@y.bd"},
        {"mail_from": "Shop\r\nBcc: x@y.bd <a@b.bd>"},
        {"sms_url": "ftp://sms.example"},
    ],
)
def test_a_sender_that_cannot_be_one_is_refused(chosen: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        settings(**MAIL | SMS | chosen)


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9/32"),
        ("::ffff:203.0.113.9", "203.0.113.9/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("a-socket", "0.0.0.0/32"),
        (None, "0.0.0.0/32"),
    ],
)
def test_failures_are_counted_per_subscriber(host: str | None, counted_as: str) -> None:
    assert Gate.of(host, enabled=True).ip == counted_as
