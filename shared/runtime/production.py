"""What production refuses to start on: missing, weak or shared secrets, defaults, and an open edge."""

from urllib.parse import parse_qs, unquote, urlsplit

from shared.runtime.addresses import is_local, origins_problem, too_wide
from shared.runtime.settings import Settings, UnsafeSettings
from shared.runtime.weak_secrets import weakness

_DEFAULT_PASSWORDS = {"", "admin", "changeme", "example", "guest", "password", "postgres", "redis", "root", "secret"}
_TOKEN_LENGTH = 20
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_NAME_PROXIES = "name the addresses or networks of the TLS proxy in front."


def check_production(settings: Settings) -> None:
    """Raise UnsafeSettings if production would start on defaults, weak or shared secrets; development passes."""
    if settings.env != "production":
        return
    problems = [*_secrets(settings), *_servers(settings), *_edge(settings), *_senders(settings)]
    if problems:
        raise UnsafeSettings(problems)


def _secrets(settings: Settings) -> list[tuple[str, str]]:
    secrets = {
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "JWT_SECRET_PREVIOUS": settings.jwt_secret_previous,
    }
    problems = [
        (name, found)
        for name, secret in secrets.items()
        if (secret is not None or name != "JWT_SECRET_PREVIOUS") and (found := weakness(secret))
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


def _servers(settings: Settings) -> list[tuple[str, str]]:
    problems = []
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    for name, url in urls.items():
        if not url:
            problems.append((name, "is not set; production does not run on the servers built in for development."))
    if settings.database_url and _password(settings.database_url) in _DEFAULT_PASSWORDS:
        problems.append(("DATABASE_URL", "has no password or a default one; set a random password."))
    if settings.redis_url and not _password(settings.redis_url) and not is_local(urlsplit(settings.redis_url).hostname):
        problems.append(("REDIS_URL", "has no password although Redis is on another host; set one (requirepass)."))
    broker = settings.broker_url or ""
    if broker.startswith("amqp") and _password(broker) in _DEFAULT_PASSWORDS:
        problems.append(("BROKER_URL", "has no password or a default one; set a random password."))
    return problems


def _password(url: str) -> str:
    parts = urlsplit(url)
    return unquote(parts.password or "") or parse_qs(parts.query).get("password", [""])[0]


def _senders(settings: Settings) -> list[tuple[str, str]]:
    problems = []
    if settings.sender is None and not (settings.smtp_url or settings.sms_url):
        reason = (
            "is not set, nor is SMARTMARKET_SMS_URL: nobody could reset a password; SMARTMARKET_SENDER=none allows it."
        )
        problems.append(("SMARTMARKET_SMTP_URL", reason))
    smtp, sms = urlsplit(settings.smtp_url or ""), urlsplit(settings.sms_url or "")
    if smtp.scheme == "smtp+plain" and smtp.hostname not in _LOOPBACK:
        problems.append(("SMARTMARKET_SMTP_URL", "would send codes without TLS; use smtps:// or smtp:// (STARTTLS)."))
    if sms.scheme == "http" and sms.hostname not in _LOOPBACK:
        problems.append(("SMARTMARKET_SMS_URL", "would send codes without TLS; use https://."))
    tokens = {"SMARTMARKET_SMS_SECRET": settings.sms_secret, "SMARTMARKET_METRICS_TOKEN": settings.metrics_token}
    too_short = f"is shorter than {_TOKEN_LENGTH} characters; make a longer one."
    return problems + [(name, too_short) for name, token in tokens.items() if token and len(token) < _TOKEN_LENGTH]


def _edge(settings: Settings) -> list[tuple[str, str]]:
    problems = []
    if problem := origins_problem(settings.cors_allowed_origins):
        problems.append(("CORS_ALLOWED_ORIGINS", problem))
    if not settings.trusted_proxies:
        problems.append(
            ("SMARTMARKET_TRUSTED_PROXIES", f"is not set: all clients would share one limit; {_NAME_PROXIES}")
        )
    elif "*" in settings.trusted_proxies or too_wide(settings.trusted_proxies):
        problems.append(("SMARTMARKET_TRUSTED_PROXIES", f"trusts the headers of too many clients; {_NAME_PROXIES}"))
    if not settings.rate_limits:
        problems.append(("SMARTMARKET_RATE_LIMITS", "is off; that is for development only."))
    if settings.log_level == "DEBUG":
        problems.append(("SMARTMARKET_LOG_LEVEL", "logs too much for production; use INFO."))
    return problems
