"""Where reset codes go when nobody has said how to deliver them, and whose failures count together."""

import logging

import pytest

from write_side.identity.credentials.senders import default_sender
from write_side.identity.login_handlers import Gate


def test_in_development_the_reset_code_is_logged_with_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        default_sender("development").send_reset_code("owner@shop.bd", "7KQ2M9XA", "bn")
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "7KQ2M9XA" in record.getMessage()
    assert "DEVELOPMENT ONLY" in record.getMessage()


def test_production_without_a_sender_warns_and_logs_no_code(caplog: pytest.LogCaptureFixture) -> None:
    default_sender("production").send_reset_code("owner@shop.bd", "7KQ2M9XA", "bn")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "7KQ2M9XA" not in caplog.text
    assert "owner@shop.bd" not in caplog.text


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
