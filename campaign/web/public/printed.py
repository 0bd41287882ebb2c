"""The texts of posters, pictures and paper sheets, in the reader's language, as data for their documents."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from campaign.crypto.paper_codes import spell
from campaign.media.colours import colour_of, ink_on
from campaign.media.qr_codes import qr_svg
from campaign.models import PaperSheet, Petition, TextVersion
from campaign.web.core.context import installation, reader_language, texts_of

_FEW = 10


def round_down(count: int) -> int:
    """``number`` rounded down to its first digit below a hundred, else to two digits: 15 → 10, 1,234 → 1,200."""
    step = int(10 ** (len(str(count)) - (1 if count < 100 else 2)))
    return count - count % step


def tell_count(count: int) -> str:
    """The number of signers, in a sentence that stays true for a while; empty for fewer than ten."""
    _ = reader_language().gettext
    if count < _FEW:
        return ""
    number = reader_language().number(rounded := round_down(count))
    if rounded == count:
        return _("%(number)s people have signed") % {"number": number}
    return _("More than %(number)s people have signed") % {"number": number}


def _common(petition: Petition) -> dict[str, Any]:
    _, texts = reader_language().gettext, texts_of(petition)
    colour = colour_of(petition.look)
    return {
        "language": reader_language().code.partition("-")[0].partition("_")[0],
        "colour": colour,
        "ink": ink_on(colour),
        "title": texts["title"],
        "addressee": f"{_('To:')} {texts['addressee']}",
    }


def tell_picture(petition: Petition, confirmed: int) -> dict[str, Any]:
    """The texts of the picture."""
    _ = reader_language().gettext
    host = urlsplit(installation().settings.base_url).netloc
    return {**_common(petition), "count": tell_count(confirmed) or _("Sign the petition"), "host": host}


def tell_poster(petition: Petition, version: TextVersion) -> dict[str, Any]:
    """The texts of the poster."""
    _ = reader_language().gettext
    address = installation().public_links.petition(reader_language().code, petition.slug)
    return {
        **_common(petition),
        "heading": _("We demand"),
        "demands": [demand["title"] for demand in version.demands],
        "invitation": _("Sign the petition"),
        "address": address,
        "qr": qr_svg(f"{address}?source=poster"),
    }


def tell_sheet(petition: Petition, version: TextVersion, sheet: PaperSheet, codes: Sequence[str]) -> dict[str, Any]:
    """The texts of a sheet to sign on."""
    _, number = reader_language().gettext, reader_language().number(sheet.id)
    address = installation().public_links.paper(reader_language().code, petition.slug)
    printed_on = {"number": number, "day": reader_language().date(sheet.made_on), "version": version.short_digest}
    return {
        **_common(petition),
        "heading": _("We demand"),
        "demands": [{"title": demand["title"], "text": demand["text"]} for demand in version.demands],
        "risk": {"heading": _("Before you sign: is it safe for you?"), "text": texts_of(petition)["risk_note"]},
        "how": [
            _(
                "I support these demands, and I agree that the organizers keep my name for this petition and hand it "
                "over with it."
            ),
            _(
                "People who sign after you, and anybody who finds this sheet, can read your name. The website does not "
                "show your name unless you change that yourself."
            ),
            _(
                "Tear off the part on the right and keep it: when the line is entered, its code lets you see, change "
                "and withdraw your signature."
            ),
        ],
        "columns": {
            "number": _("No."),
            "name": _("Name, legibly"),
            "country": _("Country"),
            "signature": _("Signature"),
            "code": _("Code"),
            "stub": _("Tear off and keep"),
        },
        "stub": {"heading": _("Line"), "text": _("See, change or withdraw your signature:")},
        "address": address,
        "qr": qr_svg(address),
        "lines": [spell(code) for code in codes],
        "foot": _("Sheet %(number)s, made on %(day)s. Version of the demands: %(version)s") % printed_on,
    }
