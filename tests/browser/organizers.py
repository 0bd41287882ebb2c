"""Organizers at a browser: a password, and a device that holds passkeys."""

from typing import Any

from playwright.sync_api import Page

PASSWORD = "four quiet words here"


def set_password(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("#password").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.locator("main button[type=submit]").click()


class Authenticator:
    """A phone or a security key that belongs to one page."""

    def __init__(self, page: Page, **options: Any) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable")
        made = self._devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    **options,
                }
            },
        )
        self._id = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """What it keeps, private keys too."""
        found = self._devtools.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])

    def put_away(self) -> None:
        """The page has no authenticator any more."""
        self._devtools.detach()

    def put(self, credential: dict[str, Any]) -> None:
        """Keep a copy of another's credential."""
        self._devtools.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": credential})
