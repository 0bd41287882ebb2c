"""The headers that make a digest a list's mail, by which mail programs offer to leave it."""

from campaign.models import Petition
from campaign.services.links import Links


def list_headers(
    links: Links, sender: str, petition: Petition, language: str, *, unsubscribe: str, merged: bool = False
) -> dict[str, str]:
    """RFC 2369, 2919 and 8058 headers by name. ``unsubscribe`` is the reader's own link, or what stands for it.

    A ``merged`` mail, of several petitions, is that of a list of its own.
    """
    name = "campaigns" if merged else petition.slug
    return {
        "List-Id": f"<{name}.{links.host}>",  # RFC 2919
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "List-Help": f"<{links.petition(language, petition.slug)}>",  # RFC 2369
        "List-Owner": f"<mailto:{sender}>",
        "List-Archive": f"<{links.updates(language, petition.slug)}>",
    }
