"""Chooses the collaborators of an installation, in one place."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from campaign import clock
from campaign.crypto.vault import Vault
from campaign.db import Database, open_database
from campaign.jobs import Jobs
from campaign.mail.dkim import DkimSigner, read_keys
from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.transport import FileTransport, Transport
from campaign.services.delivery.claims import Sender
from campaign.services.delivery.envelope import MailIdentity
from campaign.services.digests.restore_guard import RestoreGuard
from campaign.services.digests.transitions import Dispatch
from campaign.services.links import Links, PublicLinks
from campaign.services.operations.server_lock import Lock
from campaign.settings import Settings


@dataclass(frozen=True)
class Installation:
    """One installation: the collaborators that web, command line and worker pass to the services."""

    settings: Settings
    database: Database
    jobs: Jobs
    now: Callable[[], datetime]
    open_transport: Callable[[], Transport]

    @cached_property
    def lock(self) -> Lock:
        """The lock of the server, which says whether the keys may be read."""
        return Lock(self.settings.lock_file, self.database)

    @cached_property
    def vault(self) -> Vault:
        """The vault. It is opened on first use, so that a new installation can be set up without keys.

        Raises KeyringError and ServerLocked.
        """
        self.lock.refuse()
        return Vault.watching(self.settings.keyring)

    @cached_property
    def public_links(self) -> PublicLinks:
        return PublicLinks(self.settings.base_url)

    @cached_property
    def links(self) -> Links:
        return Links(self.settings.base_url, self.settings.organize_url, self.vault)

    @cached_property
    def dispatch(self) -> Dispatch:
        """What the start of an edition needs beside the database."""
        return Dispatch(RestoreGuard(self.settings.started_editions), self.jobs.enqueue_edition)

    @cached_property
    def identity(self) -> MailIdentity:
        settings = self.settings
        return MailIdentity(
            vault=self.vault,
            links=self.links,
            mail_from=settings.mail_from,
            bounces_to=settings.bounces_to if settings.verp else None,
            dkim=self.dkim,
        )

    @cached_property
    def dkim(self) -> DkimSigner | None:
        """The signer of mails; None if the relay signs them. Its keys are read on first use. Raises DkimKeyError."""
        keys = read_keys(self.settings.dkim_folder, self.settings.signing_selectors)
        return DkimSigner(keys, self.settings.mail_domain) if keys else None

    def sender(self, part: str) -> Sender:
        """A sender with its own connection to the mail server, for the thread of this worker named ``part``."""
        return Sender(
            sessions=self.database.sessions,
            snapshots=self.database.snapshots,
            guard=self.dispatch.guard,
            identity=self.identity,
            transport=self.open_transport(),
            claimant=f"{self.settings.worker_name}/{part}",
            journals=self.settings.journals,
            now=self.now,
            rate=self.settings.smtp_rate,
        )


def wire(
    settings: Settings,
    *,
    now: Callable[[], datetime] = clock.now,
    sleep: Callable[[float], None] = time.sleep,
    open_transport: Callable[[], Transport] | None = None,
) -> Installation:
    """Build the installation that ``settings`` describe. Tests replace clock, waiting and transport."""

    behaviour = Behaviour()  # of the one mail server: what a transport learns, the next one knows

    def transport() -> Transport:
        if settings.smtp_url:
            limits = Limits(
                silence=settings.smtp_timeout,
                connections=settings.smtp_connections,
                messages_per_connection=settings.smtp_messages_per_connection,
                per_domain=settings.smtp_per_domain,
            )
            return SmtpTransport(settings.smtp_url, limits, ehlo_name=settings.ehlo_name or None, behaviour=behaviour)
        return FileTransport(settings.outbox, sleep=sleep)

    return Installation(
        settings=settings,
        database=open_database(settings.database_url),
        jobs=Jobs(settings.database_url),
        now=now,
        open_transport=open_transport or transport,
    )
