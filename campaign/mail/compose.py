"""Composes the content of a mail in one language from the templates in ``templates/mail/<kind>``."""

from functools import cache
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment

from campaign.i18n import TEMPLATES, Language, templates
from campaign.mail.message import Content


@cache
def _environment(code: str) -> Environment:
    language = Language(code)
    environment = templates("mail")
    environment.add_extension("jinja2.ext.i18n")
    # Jinja adds this method when the extension is installed.
    environment.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["language"] = language
    return environment


@cache
def _inliner() -> CSSInliner:
    styles = (TEMPLATES / "mail" / "mail.css").read_text(encoding="utf-8")
    return CSSInliner(extra_css=styles, load_remote_stylesheets=False, keep_style_tags=False)


def compose(kind: str, language: str, **values: Any) -> Content:
    """Subject, text and HTML of the mail ``kind`` in ``language``, with ``values`` filled in.

    Compose a mail to many people only once: rendering a template and inlining its styles takes longer than sending.
    """
    environment = _environment(language)

    def fill(name: str) -> str:
        return environment.get_template(f"{kind}/{name}").render(**values)

    return Content(
        subject=" ".join(fill("subject.txt").split()),
        text=fill("body.txt").strip() + "\n",
        html=_inliner().inline(fill("body.html")),
    )
