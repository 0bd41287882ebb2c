"""The web application: views that translate between HTTP and the services."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign.crypto.randomness import random_bytes
from campaign.i18n import TEMPLATES
from campaign.installation.wiring import Installation
from campaign.media.pdf import PrintCache
from campaign.web.auth import sign_in
from campaign.web.core import (
    address_spelling,
    caching,
    compression,
    errors,
    health,
    locked_mode,
    outbox,
    referral_links,
    security,
    sites,
)
from campaign.web.core.context import install
from campaign.web.core.locked_mode import Keyless
from campaign.web.core.sites import Door, Site
from campaign.web.limits.disposable_domains import DisposableDomains
from campaign.web.limits.flood import Watch
from campaign.web.limits.per_network import SourceLimit
from campaign.web.organizers import views as organizer_views
from campaign.web.public import (
    challenge,
    check_mail,
    confirm,
    embedding,
    feed,
    link_request,
    paper,
    petition,
    public_signers,
    share,
    statistics,
    theme,
    unsubscribe,
)
from campaign.web.self_service import changes, withdraw
from campaign.web.self_service import views as self_service_views


def create_app(installation: Installation, door: Door = Door.ALL, *, frozen: bool = False) -> Flask:
    """The WSGI application of an installation: all its pages, or those of one ``door``.

    It has no keys while the server is locked, and with ``frozen``, which makes pages for the static copy.
    """
    why = Keyless(installation.now()) if frozen else Keyless() if installation.lock.is_on else None
    app = Site(__name__, template_folder=str(TEMPLATES / "web"))
    app.door = door
    settings = installation.settings
    is_apart = door is Door.ORGANIZERS
    url = settings.organize_url if is_apart else settings.base_url
    app.config.update(
        # Without keys nobody signs in, and no cookie is made or believed.
        SECRET_KEY=random_bytes(32) if why else installation.vault.session_secret,
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=50,
        TRUSTED_HOSTS=settings.trusted_organize_hosts if is_apart else settings.trusted_hosts,
        PREFERRED_URL_SCHEME=url.partition(":")[0],
    )
    counts_posts = settings.source_limit is not None
    watch = Watch(
        quarantine=settings.quarantine_limit if counts_posts else None,
        total=settings.total_limit or None if counts_posts else None,
        domains=DisposableDomains(settings.disposable_domains),
    )
    # A redirect from // to / would write the requested address into a header and the log, with its line ends.
    app.url_map.merge_slashes = False
    app.extensions["prints"] = PrintCache()
    install(app, installation, SourceLimit(settings.source_limit), watch)
    sites.install(app)
    address_spelling.install(app)
    if not frozen:  # files of a copy have no version in their names
        caching.install(app)
    compression.install(app)
    security.install(app, https=url.startswith("https:"))
    errors.install(app)
    referral_links.install(app)
    if why:
        locked_mode.install(app, why)
    sign_in.install(app, installation)
    public = (
        petition,
        check_mail,
        theme,
        public_signers,
        statistics,
        feed,
        share,
        embedding,
        challenge,
        link_request,
        paper,
        health,
    )
    for pages in (*public, confirm, unsubscribe, self_service_views, changes, withdraw, organizer_views):
        app.register_blueprint(pages.blueprint)
    if settings.is_local and not settings.smtp_url:
        app.register_blueprint(outbox.blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app
