import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.runtime.production import check_production
from shared.runtime.settings import BadSettings, Settings, UnsafeSettings, read_settings
from shared.runtime.weak_secrets import weakness

SAFE = {
    "SMARTMARKET_ENV": "production",
    "DATABASE_URL": "postgresql://app:vFq3ZtXk2mN8@db.internal:5432/smartmarket",
    "REDIS_URL": "redis://:b7GqW1xYp0Lc@redis.internal:6379",
    "SECRET_KEY": "eKp2-Zr8XwQm4VtB7nYc5HdL9jGs3FaU6iRo1TzEyWx",
    "JWT_SECRET": "hN4u-Lq7PdKv2XsC9mBf6WgJ3rTz8YaE5oUi1HxRyQt",
    "CORS_ALLOWED_ORIGINS": "https://smartmarket.vercel.app,https://www.smartmarket.vercel.app",
    "SMARTMARKET_TRUSTED_PROXIES": "10.0.0.0/8",
    "SMARTMARKET_SMTP_URL": "smtps://app:mN3vQ8xT@mail.example:465",
    "SMARTMARKET_MAIL_FROM": "SmartMarket <no-reply@shop.bd>",
}


@pytest.fixture(autouse=True)
def _only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field, info in Settings.model_fields.items():
        monkeypatch.delenv(str(info.validation_alias or field.upper()), raising=False)
    monkeypatch.chdir(tmp_path)


def started(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in (SAFE | changes).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    settings = Settings()
    check_production(settings)
    return settings


def test_an_empty_environment_is_development_with_safe_defaults() -> None:
    settings = Settings()
    assert (settings.env, settings.port, settings.rate_limits, settings.docs) == ("development", 8000, True, True)
    assert settings.cors_allowed_origins == ["http://localhost:3000", "http://localhost:5173"]
    assert (settings.jwt_access_token_lifetime, settings.jwt_refresh_token_lifetime) == (3600, 2_592_000)
    assert settings.secret_key is None
    check_production(settings)


def test_variables_and_the_env_file_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nSMARTMARKET_RATE_LIMITS=off\nUNKNOWN_TO_US=1\n")
    monkeypatch.setenv("SMARTMARKET_LOG_LEVEL", "debug")
    settings = Settings()
    assert (settings.port, settings.rate_limits, settings.log_level) == (9000, False, "DEBUG")


def test_there_is_no_broker_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://r")
    assert Settings().broker_url is None
    monkeypatch.setenv("BROKER_URL", "amqp://b")
    assert Settings().broker_url == "amqp://b"


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", " https://a.example/ ,https://b.example,")
    assert Settings().cors_allowed_origins == ["https://a.example", "https://b.example"]


def test_production_starts_on_safe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch).env == "production"


def test_production_sends_by_sms_alone_or_not_at_all_if_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    none: dict[str, str | None] = {"SMARTMARKET_SMTP_URL": None, "SMARTMARKET_MAIL_FROM": None}
    sms = {"SMARTMARKET_SMS_URL": "https://sms.example/send", "SMARTMARKET_SMS_SECRET": "Zx8vQ2mN5tR7wK1pL4cB"}
    assert started(monkeypatch, **none, **sms).sms_url == "https://sms.example/send"
    for change in ({"SMARTMARKET_SMS_URL": "http://sms.example/send"}, {"SMARTMARKET_SMS_SECRET": "short"}):
        with pytest.raises(UnsafeSettings, match="SMARTMARKET_SMS"):
            started(monkeypatch, **none, **sms | change)
    without = {"SMARTMARKET_SMS_URL": None, "SMARTMARKET_SMS_SECRET": None, "SMARTMARKET_SENDER": "none"}
    assert started(monkeypatch, **none, **without).sender == "none"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "abababababababababababababababababab"),
        ("SECRET_KEY", "kT9#mQ2$vX7!" * 3),
        ("SECRET_KEY", "kT9#mQ2$vX7!pL4kT9#mQ2$vX7!pL4kT9#"),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("JWT_SECRET", "zyxwvutsrqponmlkjihgfedcba9876543210"),
        ("JWT_SECRET", "qwertyuiopasdfghjklzxcvbnm1234567890"),
        ("SMARTMARKET_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("SMARTMARKET_TRUSTED_PROXIES", "10.0.0.1,::/0"),
        ("SMARTMARKET_TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"),
        ("SMARTMARKET_TRUSTED_PROXIES", "8.0.0.0/8"),
        ("REDIS_URL", "redis://redis.internal:6379/0"),
        ("REDIS_URL", "rediss://10.0.0.9:6379/0"),
        ("CORS_ALLOWED_ORIGINS", "https://smartmarket.vercel.app/app"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example,https://localhost:3000"),
        ("CORS_ALLOWED_ORIGINS", "https://127.0.0.1"),
        ("JWT_SECRET", None),
        ("JWT_SECRET", "your-secret-key-0123456789abcdefghij"),
        ("SMARTMARKET_TRUSTED_PROXIES", None),
        ("SMARTMARKET_SMTP_URL", None),
        ("SMARTMARKET_SMTP_URL", "smtp+plain://mail.example:25"),
        ("SMARTMARKET_METRICS_TOKEN", "short"),
        ("SMARTMARKET_TRUSTED_PROXIES", "*"),
        ("JWT_SECRET", SAFE["SECRET_KEY"]),
        ("JWT_SECRET_PREVIOUS", "short"),
        ("JWT_SECRET_PREVIOUS", SAFE["JWT_SECRET"]),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "postgresql://postgres:postgres@db:5432/smartmarket"),
        ("DATABASE_URL", "postgresql://postgres@db:5432/smartmarket"),
        ("REDIS_URL", None),
        ("BROKER_URL", "amqp://guest:guest@rabbit:5672//"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("CORS_ALLOWED_ORIGINS", "https://*.vercel.app"),
        ("CORS_ALLOWED_ORIGINS", "http://smartmarket.vercel.app"),
        ("CORS_ALLOWED_ORIGINS", None),
        ("SMARTMARKET_RATE_LIMITS", "off"),
        ("SMARTMARKET_LOG_LEVEL", "DEBUG"),
    ],
)
def test_production_refuses_unsafe_settings_and_names_the_variable_alone(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None
) -> None:
    with pytest.raises(UnsafeSettings) as refused:
        started(monkeypatch, **{variable: value})
    assert [name for name, _ in refused.value.problems] == [variable]
    assert variable in str(refused.value)
    if value not in {None, "*", "off", "short"}:
        assert str(value) not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMARTMARKET_TRUSTED_PROXIES", "192.168.1.7,fd00::/8"),
        ("SMARTMARKET_TRUSTED_PROXIES", "173.245.48.0/20, 2400:cb00::/32"),
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("REDIS_URL", "redis://redis.internal:6379/0?password=b7GqW1xYp0Lc"),
        ("CORS_ALLOWED_ORIGINS", "https://shop.example:8443"),
        ("SECRET_KEY", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ],
)
def test_production_starts_on_what_looks_unusual_and_is_safe(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert started(monkeypatch, **{variable: value}).env == "production"


@given(data=st.binary(min_size=32, max_size=48))
def test_random_secrets_are_not_taken_for_weak_ones(data: bytes) -> None:
    random = hashlib.sha384(data).digest()
    assert weakness(random.hex()) is None
    assert weakness(base64.urlsafe_b64encode(random).decode()) is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMARTMARKET_TRUSTED_PROXIES", "proxy.internal"),
        ("SMARTMARKET_TRUSTED_PROXIES", "10.0.0.256"),
        ("SMARTMARKET_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("REDIS_URL", "redis://h:6379/0?db=one"),
        ("REDIS_URL", "redis://h:port/0"),
        ("SMARTMARKET_FILE_STORE", "/var/lib/files"),
        ("SENTRY_DSN", "https://sentry.example/1"),
        ("DATABASE_URL", "mysql://h/db"),
        ("BROKER_URL", "nonsense"),
        ("PORT", "http"),
    ],
)
def test_development_names_an_unusable_setting_in_one_line_too(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert [name for name, _ in refused.value.problems] == [variable]
    assert value not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_secret_that_is_also_a_password_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsafeSettings, match="JWT_SECRET: is also the password in REDIS_URL"):
        started(monkeypatch, REDIS_URL=f"redis://:{SAFE['JWT_SECRET']}@redis:6379")


def test_all_problems_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsafeSettings) as refused:
        started(monkeypatch, SECRET_KEY=None, DATABASE_URL=None, SMARTMARKET_RATE_LIMITS="off")
    assert {name for name, _ in refused.value.problems} == {"SECRET_KEY", "DATABASE_URL", "SMARTMARKET_RATE_LIMITS"}


@pytest.mark.parametrize("value", ["y", "true", "1", "ON"])
def test_a_log_without_its_lock_is_refused_in_development_too(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    with pytest.raises(UnsafeSettings, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        Settings()
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "no")
    assert Settings().env == "development"


@pytest.mark.parametrize("algorithm", ["none", "HS512", "RS256", "hs256"])
def test_only_one_algorithm_signs_tokens(monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    monkeypatch.setenv("JWT_ALGORITHM", algorithm)
    with pytest.raises(ValidationError, match="jwt_algorithm"):
        Settings()


def test_settings_never_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = repr(started(monkeypatch, SENTRY_DSN="https://publickey@sentry.example/1"))
    for value in (SAFE["SECRET_KEY"], SAFE["JWT_SECRET"], "vFq3ZtXk2mN8", "b7GqW1xYp0Lc", "publickey"):
        assert value not in shown
    monkeypatch.setenv("PORT", "not-a-port-but-a-pasted-secret")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "pasted" not in str(refused.value)


@pytest.mark.parametrize(
    ("production", "said", "allowed"),
    [(False, None, True), (False, "off", False), (True, None, False), (True, "on", True), (True, "off", False)],
)
def test_demo_shops_are_public_only_where_enabled(
    monkeypatch: pytest.MonkeyPatch, production: bool, said: str | None, allowed: bool
) -> None:
    env = "production" if production else "development"
    assert started(monkeypatch, SMARTMARKET_ENV=env, SMARTMARKET_DEMO=said).demo_allowed is allowed
