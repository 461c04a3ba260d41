"""Settings, read once from the environment (and `.env`); nothing else reads it."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_BYTES = 32
_LOCAL_ORIGINS = ("http://localhost:3000", "http://localhost:5173")
_TRUE = {"1", "on", "t", "true", "y", "yes"}
_GIVEAWAYS = (
    "changeme",
    "change-me",
    "change_me",
    "default",
    "example",
    "insecure",
    "password",
    "placeholder",
    "replace",
    "secret-key",
    "smartmarket",
    "supersecret",
    "your-secret",
    "your_secret",
)
_DEFAULT_PASSWORDS = {"", "admin", "changeme", "example", "guest", "password", "postgres", "redis", "root", "secret"}
_DISTINCT_CHARACTERS = 10
_NAME_PROXIES = "name the addresses or networks of the TLS proxy in front."


class UnsafeSettings(RuntimeError):
    """The environment would make the service unsafe; names the variables, never their values."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        """Keep `problems`: (variable, what is wrong and what to do)."""
        self.problems = problems
        super().__init__("Refusing to start.\n" + "\n".join(f"  {name}: {reason}" for name, reason in problems))


class Settings(BaseSettings):
    """What the environment says; variables have the fields' names in capitals unless an alias is given.

    In development `database_url`, `redis_url` and the secrets may be absent: whoever starts the process fills them in.
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
    data_dir: Path = Field(Path(".smartmarket"), validation_alias="SMARTMARKET_DATA_DIR")
    file_store: str = Field("table", validation_alias="SMARTMARKET_FILE_STORE", repr=False)
    trusted_proxies: str = Field("", validation_alias="SMARTMARKET_TRUSTED_PROXIES")
    demo: bool | None = Field(None, validation_alias="SMARTMARKET_DEMO")
    docs: bool = Field(default=True, validation_alias="SMARTMARKET_DOCS")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", validation_alias="SMARTMARKET_LOG_LEVEL"
    )

    @property
    def demo_allowed(self) -> bool:
        """Tell whether demo shops may be opened: in development unless switched off, in production if switched on."""
        return self.env == "development" if self.demo is None else self.demo

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

    @model_validator(mode="after")
    def _log_keeps_its_order(self) -> Self:
        name = "POSTGRES_ENABLE_DB_FUNCTIONS"
        if os.environ.get(name, "").strip().lower() in _TRUE:
            raise UnsafeSettings([(name, "makes followers of the log miss events; unset it.")])
        return self


def check_production(settings: Settings) -> None:
    """Raise UnsafeSettings if production would start on defaults, weak or shared secrets; development passes."""
    if settings.env != "production":
        return
    problems = [*_secrets(settings), *_servers(settings), *_edge(settings)]
    if problems:
        raise UnsafeSettings(problems)


def _secrets(settings: Settings) -> list[tuple[str, str]]:
    secrets = {
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "JWT_SECRET_PREVIOUS": settings.jwt_secret_previous,
    }
    problems = [
        (name, weakness)
        for name, secret in secrets.items()
        if (secret is not None or name != "JWT_SECRET_PREVIOUS") and (weakness := _weakness(secret))
    ]
    seen: dict[str, str] = {}
    for name, secret in secrets.items():
        if secret and secret in seen:
            problems.append((name, f"is the same as {seen[secret]}; give each its own."))
        elif secret:
            seen[secret] = name
    return problems + _reused(secrets, settings)


def _reused(secrets: dict[str, str | None], settings: Settings) -> list[tuple[str, str]]:
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "BROKER_URL": settings.broker_url}
    passwords: dict[str, str] = {}
    for name, url in urls.items():
        passwords.setdefault(_password(url or ""), name)
    return [
        (name, f"is also the password in {passwords[secret]}; give each its own.")
        for name, secret in secrets.items()
        if secret and secret in passwords
    ]


def _weakness(secret: str | None) -> str | None:
    if not secret:
        return f"is not set; give it at least {SECRET_BYTES} random bytes."
    if len(secret.encode()) < SECRET_BYTES:
        return f"is shorter than {SECRET_BYTES} bytes; make a longer one."
    if any(word in secret.lower() for word in _GIVEAWAYS) or len(set(secret)) < _DISTINCT_CHARACTERS:
        return "is a default or easily guessed; make a random one."
    return None


def _servers(settings: Settings) -> list[tuple[str, str]]:
    problems = []
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    for name, url in urls.items():
        if not url:
            problems.append((name, "is not set; production does not run on the servers built in for development."))
    if settings.database_url and _password(settings.database_url) in _DEFAULT_PASSWORDS:
        problems.append(("DATABASE_URL", "has no password or a default one; set a random password."))
    broker = settings.broker_url or ""
    if broker.startswith("amqp") and _password(broker) in _DEFAULT_PASSWORDS:
        problems.append(("BROKER_URL", "has no password or a default one; set a random password."))
    return problems


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _edge(settings: Settings) -> list[tuple[str, str]]:
    problems = []
    if any("*" in origin for origin in settings.cors_allowed_origins):
        problems.append(("CORS_ALLOWED_ORIGINS", "has a wildcard; list the origins of the front end."))
    elif not all(origin.startswith("https://") for origin in settings.cors_allowed_origins):
        problems.append(("CORS_ALLOWED_ORIGINS", "has origins without https; list the https origins of the front end."))
    if not settings.trusted_proxies:
        problems.append(
            ("SMARTMARKET_TRUSTED_PROXIES", f"is not set: all clients would share one limit; {_NAME_PROXIES}")
        )
    elif "*" in settings.trusted_proxies:
        problems.append(("SMARTMARKET_TRUSTED_PROXIES", f"believes whoever sends a header; {_NAME_PROXIES}"))
    if not settings.rate_limits:
        problems.append(("SMARTMARKET_RATE_LIMITS", "is off; that is for development only."))
    if settings.log_level == "DEBUG":
        problems.append(("SMARTMARKET_LOG_LEVEL", "logs too much for production; use INFO."))
    return problems
