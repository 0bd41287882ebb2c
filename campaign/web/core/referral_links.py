"""The word in a link by which its signers are counted: carried from page to page in the address, never in a cookie."""

from flask import Flask, request

from campaign.services.petitions.referrals import clean_source


def install(app: Flask) -> None:
    """Give templates the function that says what their links carry on."""
    app.jinja_env.globals["carried"] = carried


def source_of_request() -> str | None:
    """The word in this request's address, or in the form that it brings; what is none is dropped."""
    return clean_source(request.args.get("source") or request.form.get("source") or "")


def carried() -> dict[str, str]:
    """What a link to another of the petition's pages has in its address besides."""
    source = source_of_request()
    return {"source": source} if source else {}
