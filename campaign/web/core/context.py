"""The context of every view and template: the installation, the reader's language, texts in that language."""

from typing import Any, cast

from flask import Flask, Response, current_app, g, request

from campaign.i18n import Language, available_languages
from campaign.installation.wiring import Installation
from campaign.media.pictures import ENDINGS
from campaign.models import Petition
from campaign.web.core.locked_mode import keyless
from campaign.web.core.stored_reasons import tell_reason
from campaign.web.limits.flood import Watch
from campaign.web.limits.per_network import SourceLimit


def install(app: Flask, installation: Installation, source_limit: SourceLimit, watch: Watch) -> None:
    """Attach the installation to the application, and the languages to its templates."""
    app.extensions["installation"] = installation
    app.extensions["source_limit"] = source_limit
    app.extensions["watch"] = watch
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja adds this method when the extension is installed.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda sentence: reader_language().gettext(sentence),
        lambda one, many, count: reader_language().ngettext(one, many, count),
        newstyle=True,
    )
    app.context_processor(
        lambda: {
            "language": reader_language(),
            "Language": Language,
            "ENDINGS": ENDINGS,
            "languages_of": languages_of,
            "tell_reason": tell_reason,
            "keyless": keyless(),
            "live_url": installation.settings.base_url,
        }
    )
    app.url_value_preprocessor(_take_language)
    app.after_request(_tell_caches)


def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "lang" in values:
        use_language(values["lang"])


def _tell_caches(response: Response) -> Response:
    if "negotiated" in g:
        response.vary.add("Accept-Language")
    return response


def installation() -> Installation:
    """The installation that answers this request."""
    return cast("Installation", current_app.extensions["installation"])


def source_limit() -> SourceLimit:
    """The limit of signatures that one network may send."""
    return cast("SourceLimit", current_app.extensions["source_limit"])


def watch() -> Watch:
    """The counts of this process about the posts of the last hours."""
    return cast("Watch", current_app.extensions["watch"])


def use_language(code: str) -> None:
    """Answer this request in the language ``code``, if we have it."""
    if code in available_languages():
        g.language = Language(code)


def reader_language() -> Language:
    """The language of the address or of the person; else the best one that the browser asks for."""
    if "language" not in g:
        asked = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
        known = available_languages()
        g.language = Language(next((code for code in asked if code in known), known[0]))
        g.negotiated = True
    return cast("Language", g.language)


def languages_of(petition: Petition) -> list[str]:
    """The languages of the petition in which we have pages."""
    return [code for code in petition.languages if code in available_languages()]


def texts_of(petition: Petition) -> dict[str, str]:
    """The petition's texts in the reader's language, else in its first language."""
    return petition.texts.get(reader_language().code) or petition.texts[petition.languages[0]]
