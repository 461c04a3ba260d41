"""Settings, read once from the environment and `.env`; no other module reads them."""

import base64
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from kombu.transport import TRANSPORT_ALIASES
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis.connection import parse_url

from shared.eventstore.checkpoints import CheckpointKey
from shared.runtime.addresses import networks

_LOCAL_ORIGINS = ("http://localhost:3000", "http://localhost:5173")
_REDIS_SCHEMES = {"redis", "rediss", "unix"}
_STORE_SCHEMES = {"s3", "gs", "az", "file"}
_SMTP_SCHEMES = {"smtp", "smtps", "smtp+plain"}
_MAIL_FROM = re.compile(r"[^\s@<>]+@[^\s@<>]+|[^<>\r\n]{1,100} <[^\s@<>]+@[^\s@<>]+>")
_TRUE = {"1", "on", "t", "true", "y", "yes"}


class BadSettings(RuntimeError):
    """Settings that the program cannot or must not start with; names the variables, never their values."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Keep `problems`: (variable, what is allowed or what to do)."""
        self.problems = list(problems)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in problems))


class UnsafeSettings(BadSettings):
    """Settings that would make the service unsafe."""


class Settings(BaseSettings):
    """What the environment says; variables have the fields' names in capitals unless an alias is given.

    In development `database_url`, `redis_url` and the secrets may be absent: the process that starts the others sets
    them.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        env_ignore_empty=True,
    )

    env: Literal["development", "production"] = Field("development", validation_alias="SMARTMARKET_ENV")
    database_url: str | None = Field(None, repr=False)
    redis_url: str | None = Field(None, repr=False)
    broker_url: str | None = Field(None, repr=False)
    secret_key: str | None = Field(None, repr=False)
    jwt_secret: str | None = Field(None, repr=False)
    jwt_secret_previous: str | None = Field(None, repr=False)
    jwt_algorithm: Literal["HS256"] = "HS256"
    jwt_access_token_lifetime: int = Field(3600, ge=60, le=86_400)
    jwt_refresh_token_lifetime: int = Field(2_592_000, ge=3600, le=31_536_000)
    sentry_dsn: str | None = Field(None, repr=False)
    cors_allowed_origins: Annotated[list[str], NoDecode] = list(_LOCAL_ORIGINS)
    port: int = Field(8000, ge=1, le=65_535)
    api_processes: int | None = Field(None, ge=1, le=4, validation_alias="SMARTMARKET_API_PROCESSES")
    rate_limits: bool = Field(default=True, validation_alias="SMARTMARKET_RATE_LIMITS")
    rate_limit_patience: float = Field(0.05, ge=0.01, le=60, validation_alias="SMARTMARKET_RATE_LIMIT_PATIENCE")
    data_dir: Path = Field(Path(".smartmarket"), validation_alias="SMARTMARKET_DATA_DIR")
    file_store: str = Field("table", validation_alias="SMARTMARKET_FILE_STORE", repr=False)
    checkpoints: str = Field("", validation_alias="SMARTMARKET_CHECKPOINTS", repr=False)
    checkpoint_key: str | None = Field(None, validation_alias="SMARTMARKET_CHECKPOINT_KEY", repr=False)
    trusted_proxies: str = Field("", validation_alias="SMARTMARKET_TRUSTED_PROXIES")
    sender: Literal["none"] | None = Field(None, validation_alias="SMARTMARKET_SENDER")
    smtp_url: str | None = Field(None, validation_alias="SMARTMARKET_SMTP_URL", repr=False)
    mail_from: str | None = Field(None, validation_alias="SMARTMARKET_MAIL_FROM")
    sms_url: str | None = Field(None, validation_alias="SMARTMARKET_SMS_URL", repr=False)
    sms_secret: str | None = Field(None, validation_alias="SMARTMARKET_SMS_SECRET", repr=False)
    metrics_token: str | None = Field(None, validation_alias="SMARTMARKET_METRICS_TOKEN", repr=False)
    demo: bool | None = Field(None, validation_alias="SMARTMARKET_DEMO")
    docs: bool = Field(default=True, validation_alias="SMARTMARKET_DOCS")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", validation_alias="SMARTMARKET_LOG_LEVEL"
    )

    @property
    def demo_allowed(self) -> bool:
        """Tell whether demo shops may be opened: in development unless switched off, in production if switched on."""
        return self.env == "development" if self.demo is None else self.demo

    @property
    def default_host(self) -> str:
        """Return the address to listen on: this machine only in development, every network in production."""
        return "127.0.0.1" if self.env == "development" else "0.0.0.0"  # noqa: S104 - in production a proxy connects

    @field_validator("cors_allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [part.strip().rstrip("/") for part in value.split(",") if part.strip()]

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str | None) -> str | None:
        try:
            conninfo_to_dict(value or "")
        except ProgrammingError:
            msg = "must be a URL such as postgresql://user:password@host:5432/smartmarket."
            raise ValueError(msg) from None
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str | None) -> str | None:
        msg = "must be a URL such as redis://:password@host:6379/0."
        if value is not None and (_scheme(value) not in _REDIS_SCHEMES):
            raise ValueError(msg)
        try:
            parse_url(value or "redis://")  # type: ignore[no-untyped-call] # it has no types
        except ValueError:
            raise ValueError(msg) from None
        return value

    @field_validator("broker_url")
    @classmethod
    def _is_broker(cls, value: str | None) -> str | None:
        if value is not None and _scheme(value).partition("+")[0] not in TRANSPORT_ALIASES:
            msg = "must be the URL of a kombu transport, such as amqp://user:password@host:5672//."
            raise ValueError(msg)
        return value

    @field_validator("checkpoint_key")
    @classmethod
    def _is_seed(cls, value: str | None) -> str | None:
        try:
            CheckpointKey.from_text(value or base64.b64encode(bytes(32)).decode())
        except ValueError:
            msg = "must be 32 random bytes in base64: openssl rand -base64 32"
            raise ValueError(msg) from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            msg = "must be addresses or networks separated by commas, such as 10.0.0.7 or 172.16.0.0/12."
            raise ValueError(msg) from None
        return value

    @field_validator("file_store")
    @classmethod
    def _is_store(cls, value: str) -> str:
        if value != "table" and _scheme(value) not in _STORE_SCHEMES:
            msg = "must be `table` or the URL of an object store: s3://bucket/prefix, gs://…, az://… or file:///folder."
            raise ValueError(msg)
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _is_dsn(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://key@host/1")
        if not (_scheme(parts.geturl()) in {"http", "https"} and parts.username and parts.path.strip("/").isdigit()):
            msg = "must be the DSN of a Sentry project: https://key@host/number."
            raise ValueError(msg)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, value: str | None) -> str | None:
        if value is not None and _scheme(value) not in _SMTP_SCHEMES:
            msg = "must be a URL such as smtps://user:password@host:465 or smtp://user:password@host:587 (STARTTLS)."
            raise ValueError(msg)
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_mail_address(cls, value: str | None) -> str | None:
        if value is not None and not _MAIL_FROM.fullmatch(value):
            msg = "must be an address such as no-reply@shop.bd or SmartMarket <no-reply@shop.bd>."
            raise ValueError(msg)
        return value

    @field_validator("sms_url")
    @classmethod
    def _is_webhook(cls, value: str | None) -> str | None:
        if value is not None and _scheme(value) not in {"http", "https"}:
            msg = "must be a URL such as https://sms.example/send."
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _senders_are_whole(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise BadSettings([("SMARTMARKET_MAIL_FROM", "is not set: e-mails need a sender's address.")])
        if self.sms_url and not self.sms_secret:
            raise BadSettings([("SMARTMARKET_SMS_SECRET", "is not set: the webhook must recognise the sender.")])
        return self

    @model_validator(mode="after")
    def _log_keeps_its_order(self) -> Self:
        name = "POSTGRES_ENABLE_DB_FUNCTIONS"
        if os.environ.get(name, "").strip().lower() in _TRUE:
            raise UnsafeSettings([(name, "makes followers of the log miss events; unset it.")])
        return self


def read_settings() -> Settings:
    """Read the environment and `.env`; raises BadSettings, which says of each bad variable what is allowed."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings([_problem(found) for found in error.errors(include_input=False)]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadSettings([(".env", f"cannot be read: {reason}.")]) from None


def _problem(found: ErrorDetails) -> tuple[str, str]:
    """Return the variable that an error is about, and what is allowed."""
    place = str(found["loc"][0]) if found["loc"] else ""
    fields = {info.validation_alias or name: (name, info) for name, info in Settings.model_fields.items()}
    name, info = fields[place]
    reason = str(found["ctx"]["error"]) if found["type"] == "value_error" else _allowed(info)
    return str(info.validation_alias or name.upper()), reason


def _allowed(field: FieldInfo) -> str:
    """Return what a variable may hold: one of some words, on or off, or a number within bounds."""
    kinds = {field.annotation, *get_args(field.annotation)} - {type(None)}
    bounds = {name: getattr(found, name) for name in ("ge", "le") for found in field.metadata if hasattr(found, name)}
    if bool in kinds:
        return "must be on or off."
    if int in kinds:
        return f"must be a whole number from {bounds['ge']:,} to {bounds['le']:,}."
    return f"must be one of {', '.join(map(str, get_args(field.annotation)))}."


def _scheme(url: str) -> str:
    """Return the scheme of a URL, nothing if it has none or cannot be parsed."""
    try:
        return urlsplit(url).scheme if "://" in url and urlsplit(url).port != 0 else ""
    except ValueError:
        return ""
