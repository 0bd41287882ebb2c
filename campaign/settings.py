"""Settings: read from the environment or a ``.env`` file, and all checked at once. No secret has a default."""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from campaign.errors import InvalidInput, InvalidSettings
from campaign.text.email_address import parse_email_address
from campaign.text.host_name import to_dns, to_ehlo_name
from campaign.text.rates import Rate

_MAX_BOUNCES_NAME = 64 - len("+") - 48
_NEAR = 0.7  # difflib: 1 is the same word
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _names(url: str, host: str) -> list[str]:
    names = {urlsplit(url).hostname or host, *(_LOOPBACK if host in _LOOPBACK else ())}
    return sorted(name for name in names if ":" not in name)


def _require_no_extra(value: str) -> None:
    """Raise ValueError if a URL has a fragment or a query, which a password with ``#`` or ``?`` makes of its end."""
    if "#" in value or "?" in value:
        raise ValueError(
            "has a # or ?, which ends the password; write %23 for #, %3F for ? and %2F for / in a password"
        )


class Settings(BaseSettings):
    """The settings of this server; each field is the environment variable ``CAMPAIGN_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix="CAMPAIGN_", env_file=".env", env_file_encoding="utf-8-sig", extra="ignore", frozen=True
    )

    data_dir: Path = Field(Path("var"), description="The folder of the database, the keyring and the outbox.")
    database_url: str = Field(
        "", description="`sqlite:///path` or `postgresql+psycopg://…`; empty: a SQLite file in the data directory."
    )
    keyring: Path = Field(
        Path(),
        description="The file with the keys; empty: `keyring.json` in the data directory. Keep a copy elsewhere.",
    )
    host: str = Field("127.0.0.1", description="The address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="The port the web server listens on.")
    base_url: str = Field("", description="The beginning of links in mails; empty: `http://HOST:PORT`.")
    organize_host: str = Field(
        "",
        description="The address on which only the organizers' pages listen, such as `10.8.0.1`; empty: that of the "
        "public pages.",
    )
    organize_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="The port on which only the organizers' pages listen; 0: that of the public pages.",
    )
    organize_url: str = Field(
        "",
        description="The beginning of links to the organizers' pages; empty: `CAMPAIGN_BASE_URL`, or "
        "`http://ORGANIZE_HOST:ORGANIZE_PORT` if they listen separately.",
    )
    threads: int = Field(8, ge=1, le=256, description="The number of requests that are answered at the same time.")
    smtp_url: str = Field(
        "",
        description="`smtp://`, `smtp+starttls://` or `smtps://` with `user:password@host:port`; "
        "empty: mails are written into `DATA_DIR/outbox`.",
    )
    ehlo_name: str = Field(
        "",
        description="The name by which this server introduces itself to the mail server (EHLO): a name that the DNS "
        "knows, or an IP address. Empty: the host in `CAMPAIGN_BASE_URL`.",
    )
    smtp_timeout: float = Field(60, gt=0, description="Seconds to wait for the mail server's answer.")
    smtp_connections: int = Field(4, ge=1, le=64, description="Connections to the mail server at the same time.")
    smtp_messages_per_connection: int = Field(
        500, ge=1, description="The number of mails after which a connection is replaced by a new one."
    )
    smtp_rate: Annotated[list[Rate], NoDecode] = Field(
        default_factory=list,
        description="The most mails that all workers together send: `10/second`, `1000/hour`, or both: "
        "`10/second; 1000/hour`; `off`: no limit.",
    )
    smtp_per_domain: int = Field(
        0,
        ge=0,
        description="The most mails in flight to one recipient domain at the same time, for each worker; 0: no limit.",
    )
    mail_from: str = Field("petition@example.org", description="The sender's address of every mail.")
    verp: bool = Field(
        True, description="Give each mail its own envelope sender, so that a bounce shows which mail it is about."
    )
    bounces_to: str = Field(
        "",
        description="The mailbox that gets returned mails, such as `bounces@example.org`; it must accept "
        "`bounces+…@example.org` too. Empty: `CAMPAIGN_MAIL_FROM`.",
    )
    bounces_url: str = Field(
        "",
        description="The mailbox from which the worker reads returned mails: `maildir:///path` or "
        "`imaps://user:password@host/INBOX`; empty: none (`campaign bounce` reads one message).",
    )
    dkim_selectors: str = Field(
        "",
        description="The selectors of the keys that sign each mail, made by `campaign dkim new`: `rsa2026, ed2026`; "
        "empty: the relay signs.",
    )
    check_dns: bool = Field(False, description="When a person signs, ask the DNS whether the mail domain exists.")
    source_limit: Annotated[Rate | None, NoDecode] = Field(
        default_factory=lambda: Rate.read("60/hour"),
        description="The most signatures that are accepted from one network (/24, /56): `60/hour`; `off` for kiosks "
        "and load tests.",
    )
    quarantine_limit: Annotated[Rate | None, NoDecode] = Field(
        default_factory=lambda: Rate.read("30/hour"),
        description="Signatures from one network under one petition. Those beyond this limit wait for a review after "
        "they are confirmed: `30/hour`; `off`: no limit. Nothing is counted while `CAMPAIGN_SOURCE_LIMIT` is `off`.",
    )
    total_limit: int = Field(
        2000,
        ge=0,
        description="Signing forms accepted in an hour, over all petitions. Each form beyond this limit needs a "
        "challenge; beyond five times the limit, the third form from a network has to wait. 0, or "
        "`CAMPAIGN_SOURCE_LIMIT` `off`: no limit.",
    )
    disposable_domains: Path | None = Field(
        None,
        description="A file with domains of disposable mail addresses, one on each line. Signatures with such an "
        "address wait for a review. Empty: no such domains.",
    )
    form_min_seconds: float = Field(
        2, ge=0, description="A form that is sent back faster than this was not filled in by a person; 0: off."
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description="The number of reverse proxies that add `X-Forwarded-For`.")
    worker_name: str = Field(
        "worker-1", pattern=r"^[a-z0-9-]{1,40}$", description="The name of this worker; each worker needs its own."
    )

    @field_validator("disposable_domains", mode="before")
    @classmethod
    def _read_path(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("source_limit", "quarantine_limit", mode="before")
    @classmethod
    def _read_limit(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().lower() == "off":
            return None
        try:
            return Rate.read(value)
        except ValueError:
            raise ValueError("must have the form 60/hour, or be off") from None

    @field_validator("smtp_rate", mode="before")
    @classmethod
    def _read_rate(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().lower() in ("", "off"):
            return []
        try:
            return Rate.read_all(value)
        except ValueError:
            raise ValueError("must have the form 10/second, 1000/hour or 10/second; 1000/hour, or be off") from None

    @field_validator("bounces_url")
    @classmethod
    def _check_bounces_url(cls, value: str) -> str:
        _require_no_extra(value)
        parts = urlsplit(value)
        known = (parts.scheme == "maildir" and parts.path) or (parts.scheme in {"imap", "imaps"} and parts.hostname)
        if value and not known:
            raise ValueError(
                "must have the form maildir:///var/mail/bounces or imaps://user:password@mail.example.org/INBOX"
            )
        return value

    @field_validator("dkim_selectors")
    @classmethod
    def _check_selectors(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9.-]*(\s*,\s*[A-Za-z0-9.-]+)*", value.strip()):
            raise ValueError("must be names such as rsa2026, ed2026")
        return value

    @field_validator("mail_from", "bounces_to")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        if not value:
            return value
        wrong = "must be an e-mail address like petition@example.org"
        if " " in value.strip():  # a name before the address would be lost; each petition has one of its own
            raise ValueError(wrong)
        try:
            return str(parse_email_address(value))
        except InvalidInput:
            raise ValueError(wrong) from None

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        if value.startswith("postgresql") and "#" in value:
            raise ValueError("has a #, which ends the password; write %23 for #, %3F for ? and %2F for / in a password")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp(cls, value: str) -> str:
        if not value:
            return value
        _require_no_extra(value)
        parts = urlsplit(value)
        try:
            known = parts.scheme in {"smtp", "smtp+starttls", "smtps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known:
            raise ValueError("must have the form smtp+starttls://user:password@mail.example.org:587")
        return value

    @field_validator("ehlo_name")
    @classmethod
    def _check_ehlo_name(cls, value: str) -> str:
        return to_ehlo_name(value) if value.strip() else ""

    @field_validator("base_url", "organize_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        if not value:
            return value
        wrong = "must have the form https://petition.example.org"
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(wrong) from None
        if (
            parts.scheme not in {"http", "https"}
            or not host
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
            or parts.username is not None
        ):
            raise ValueError(wrong)
        if ":" in host:
            raise ValueError("must have a name or an IPv4 address, such as http://localhost:8000; IPv6 needs a name")
        # Headers of mails and answers are ASCII, so the name is written as the DNS has it (RFC 5891).
        return f"{parts.scheme}://{to_dns(host)}{f':{port}' if port else ''}"

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        # `frozen` forbids changes by callers. Defaults that depend on other settings are filled in before that.
        fill = object.__setattr__
        if not self.database_url:
            fill(self, "database_url", f"sqlite:///{quote(str(self.data_dir.absolute() / 'campaign.sqlite'))}")
        if self.keyring == Path():
            fill(self, "keyring", self.data_dir / "keyring.json")
        if not self.bounces_to:
            fill(self, "bounces_to", self.mail_from)
        if self.verp and len(self.bounces_to.partition("@")[0]) > _MAX_BOUNCES_NAME:
            raise ValueError(
                f"BOUNCES_TO has more than {_MAX_BOUNCES_NAME} characters before the @, so there is no room for the "
                "token of a mail (RFC 5321 allows 64); choose a shorter address, or set CAMPAIGN_VERP=false"
            )
        if not self.base_url:
            # Flask compares the Host header only with names and IPv4 addresses.
            host = "localhost" if ":" in self.host else self.host
            fill(self, "base_url", f"http://{host}:{self.port}")
        if not self.ehlo_name:
            self._fill_ehlo_name(fill)
        self._place_organizers(fill)
        return self

    def _fill_ehlo_name(self, fill: Callable[[Self, str, object], None]) -> None:
        try:
            fill(self, "ehlo_name", to_ehlo_name(urlsplit(self.base_url).hostname or self.host))
        except ValueError:
            if self.smtp_url:
                raise ValueError(
                    "EHLO_NAME is needed: the host in CAMPAIGN_BASE_URL is no name by which a mail server knows us, so "
                    "set CAMPAIGN_EHLO_NAME to a name such as petition.example.org"
                ) from None

    def _place_organizers(self, fill: Callable[[Self, str, object], None]) -> None:
        if not self.organizers_apart:
            if self.organize_url not in {"", self.base_url}:
                raise ValueError("ORGANIZE_URL needs CAMPAIGN_ORGANIZE_PORT or CAMPAIGN_ORGANIZE_HOST")
            fill(self, "organize_url", self.base_url)
            return
        fill(self, "organize_host", self.organize_host or self.host)
        fill(self, "organize_port", self.organize_port or self.port)
        if (self.organize_host, self.organize_port) == (self.host, self.port):
            raise ValueError("ORGANIZE_HOST and ORGANIZE_PORT must not both be the same as those of the public pages")
        if not self.organize_url:
            host = "localhost" if ":" in self.organize_host else self.organize_host
            fill(self, "organize_url", f"http://{host}:{self.organize_port}")

    @property
    def organizers_apart(self) -> bool:
        """Whether the organizers' pages are served by a separate process."""
        return bool(self.organize_host or self.organize_port)

    @property
    def listens_locally(self) -> bool:
        """Whether the public pages listen on loopback alone."""
        return self.host in _LOOPBACK

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server: it listens on loopback, and its URLs have no other host."""
        named = {urlsplit(self.base_url).hostname, urlsplit(self.organize_url).hostname}
        return self.listens_locally and named <= _LOOPBACK

    @property
    def trusted_hosts(self) -> list[str]:
        """The host names that requests to this server may have."""
        return _names(self.base_url, self.host)

    @property
    def trusted_organize_hosts(self) -> list[str]:
        """The host names that requests to the organizers' pages may have, if these listen separately."""
        return _names(self.organize_url, self.organize_host)

    @property
    def mail_domain(self) -> str:
        """The domain of the sender's address, in whose name mails are signed (DKIM)."""
        return self.mail_from.rpartition("@")[2]

    @property
    def signing_selectors(self) -> list[str]:
        """The selectors of ``dkim_selectors``, each once."""
        return list(dict.fromkeys(self.dkim_selectors.replace(",", " ").split()))

    @property
    def dkim_folder(self) -> Path:
        """The folder of the keys that sign mails; each is a file ``<selector>.pem``."""
        return self.data_dir / "dkim"

    @property
    def journals(self) -> Path:
        """The folder of the journals, in which workers record the mails that they are sending."""
        return self.data_dir / "journals"

    @property
    def started_editions(self) -> Path:
        """The file that records which editions were started, so that a restored backup resends none."""
        return self.data_dir / "editions-begun"

    @property
    def tombstones(self) -> Path:
        """The file in which the worker records which rows were erased, for restoring a backup."""
        return self.data_dir / "tombstones"

    @property
    def lock_file(self) -> Path:
        """The file that exists while the server is locked on this machine."""
        return self.data_dir / "locked"

    @property
    def outbox(self) -> Path:
        """The folder into which mails are written while no SMTP server is set."""
        return self.data_dir / "outbox"


def read_settings() -> Settings:
    """The settings of this process. Raises InvalidSettings, with every problem in one sentence."""
    problems = list(_list_unknown())
    try:
        settings = Settings()
    except ValidationError as error:
        problems += [
            # A problem between settings has no place; its sentence begins with the name of one.
            f"CAMPAIGN_{' '.join([*map(str, problem['loc'])]).upper()} ".replace("CAMPAIGN_ ", "CAMPAIGN_")
            + problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
    else:
        if not problems:
            return settings
    raise InvalidSettings("Please correct the settings: " + "; ".join(problems) + ".")


def _list_unknown() -> Iterator[str]:
    """Name each ``CAMPAIGN_…`` that is a setting in a wrong spelling: it would do nothing.

    Others are left alone: an older or newer version of the program may have such a setting.
    """
    known = {name.upper() for name in Settings.model_fields}
    sources = (EnvSettingsSource(Settings), DotEnvSettingsSource(Settings))
    for name in sorted({each.upper() for source in sources for each in source.env_vars}):
        spelling = name.removeprefix("CAMPAIGN_")
        if spelling != name and spelling not in known:
            for near in get_close_matches(spelling, known, 1, _NEAR):
                yield f"{name} is no setting: is CAMPAIGN_{near} meant?"
