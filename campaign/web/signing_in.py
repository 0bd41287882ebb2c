"""Being written."""

from flask import Flask

from campaign.wiring import Campaign


def install(app: Flask, campaign: Campaign) -> None:
    """Being written."""
