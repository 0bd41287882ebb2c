"""The web door: views that translate between HTTP and the services."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from campaign.languages import TEMPLATES
from campaign.web import confirm, errors, health, me, organize, outbox, petition, security, signing_in, unsubscribe
from campaign.web.context import install
from campaign.web.disposable_domains import DisposableDomains
from campaign.web.source_limit import SourceLimit
from campaign.web.tallies import Watch
from campaign.wiring import Campaign


def create_app(campaign: Campaign) -> Flask:
    """The WSGI application for one installation."""
    app = Flask(__name__, template_folder=str(TEMPLATES / "web"))
    settings = campaign.settings
    app.config.update(
        SECRET_KEY=campaign.vault.session_secret,
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=50,
        TRUSTED_HOSTS=settings.trusted_hosts,
        PREFERRED_URL_SCHEME=settings.base_url.partition(":")[0],
    )
    counts_posts = settings.source_limit is not None
    watch = Watch(
        quarantine=settings.quarantine_limit if counts_posts else None,
        total=settings.total_limit or None if counts_posts else None,
        domains=DisposableDomains(settings.disposable_domains),
    )
    install(app, campaign, SourceLimit(settings.source_limit), watch)
    security.install(app, https=settings.base_url.startswith("https:"))
    errors.install(app)
    signing_in.install(app, campaign)
    for door in (petition, confirm, unsubscribe, me, organize, health):
        app.register_blueprint(door.blueprint)
    if settings.is_local and not settings.smtp_url:
        app.register_blueprint(outbox.blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app
