"""The web door: views that translate between HTTP and the services."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign.languages import TEMPLATES
from campaign.tokens import random_bytes
from campaign.typesetting import PrintCache
from campaign.web import (
    caching,
    challenge,
    compressing,
    confirm,
    doors,
    embedding,
    errors,
    feed,
    health,
    keyless,
    look,
    lost_link,
    me,
    me_changes,
    organize,
    outbox,
    paper,
    petition,
    public_numbers,
    security,
    signing_in,
    source_link,
    spread,
    unsubscribe,
    wall,
    withdrawing,
)
from campaign.web.context import install
from campaign.web.disposable_domains import DisposableDomains
from campaign.web.doors import Door, Site
from campaign.web.keyless import Keyless
from campaign.web.source_limit import SourceLimit
from campaign.web.watching import Watch
from campaign.wiring import Campaign


def create_app(campaign: Campaign, door: Door = Door.ALL, *, frozen: bool = False) -> Flask:
    """The WSGI application for one installation, or for one of its two doors.

    While it is locked, and ``frozen`` to be copied, it is without its keys.
    """
    why = Keyless(campaign.now()) if frozen else Keyless() if campaign.lock.is_on else None
    app = Site(__name__, template_folder=str(TEMPLATES / "web"))
    app.door = door
    settings = campaign.settings
    is_apart = door is Door.ORGANIZERS
    url = settings.organize_url if is_apart else settings.base_url
    app.config.update(
        # Without keys nobody signs in, and no cookie is made or believed.
        SECRET_KEY=random_bytes(32) if why else campaign.vault.session_secret,
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
    # To send a visitor on from // to / would put what was asked for into a header and the log, line ends and all.
    app.url_map.merge_slashes = False
    app.extensions["prints"] = PrintCache()
    install(app, campaign, SourceLimit(settings.source_limit), watch)
    doors.install(app)
    if not frozen:  # the files of a copy have no versions
        caching.install(app)
    compressing.install(app)
    security.install(app, https=url.startswith("https:"))
    errors.install(app)
    source_link.install(app)
    if why:
        keyless.install(app, why)
    signing_in.install(app, campaign)
    public = (petition, look, wall, public_numbers, feed, spread, embedding, challenge, lost_link, paper, health)
    for pages in (*public, confirm, unsubscribe, me, me_changes, withdrawing, organize):
        app.register_blueprint(pages.blueprint)
    if settings.is_local and not settings.smtp_url:
        app.register_blueprint(outbox.blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app
