"""Referral links: the word under which signers are counted goes from page to page in the address, not in a cookie."""

from flask import Flask, request

from campaign.services.petitions.referrals import clean_source


def install(app: Flask) -> None:
    """Give templates the function ``carried``, for the addresses of their links."""
    app.jinja_env.globals["carried"] = carried


def source_of_request() -> str | None:
    """The word in this request's address or form; empty if it is no word that can be counted."""
    return clean_source(request.args.get("source") or request.form.get("source") or "")


def carried() -> dict[str, str]:
    """The values that a link to another page of the petition adds to its address."""
    source = source_of_request()
    return {"source": source} if source else {}
