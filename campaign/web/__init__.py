"""The web door: views that translate between HTTP and the services."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign.languages import TEMPLATES
from campaign.tokens import random_bytes
from campaign.web import (
    confirm,
    errors,
    health,
    keyless,
    me,
    organize,
    outbox,
    petition,
    security,
    signing_in,
    unsubscribe,
)
from campaign.web.context import install
from campaign.web.keyless import Keyless
from campaign.web.source_limit import SourceLimit
from campaign.wiring import Campaign


def create_app(campaign: Campaign, *, frozen: bool = False) -> Flask:
    """The WSGI application for one installation; while it is locked, and ``frozen`` to be copied, without its keys."""
    why = Keyless(campaign.now()) if frozen else Keyless() if campaign.lock.is_on else None
    app = Flask(__name__, template_folder=str(TEMPLATES / "web"))
    settings = campaign.settings
    app.config.update(
        # Without keys nobody signs in, and no cookie is made or believed.
        SECRET_KEY=random_bytes(32) if why else campaign.vault.session_secret,
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=50,
        TRUSTED_HOSTS=settings.trusted_hosts,
        PREFERRED_URL_SCHEME=settings.base_url.partition(":")[0],
    )
    install(app, campaign, SourceLimit(settings.source_limit))
    security.install(app, https=settings.base_url.startswith("https:"))
    errors.install(app)
    if why:
        keyless.install(app, why)
    signing_in.install(app, campaign)
    for door in (petition, confirm, unsubscribe, me, organize, health):
        app.register_blueprint(door.blueprint)
    if settings.is_local and not settings.smtp_url:
        app.register_blueprint(outbox.blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app
