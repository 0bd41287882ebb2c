"""The size of each page, and how long a cheap phone on a slow line waits for it, by Chromium with an empty cache."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.models import Display, Role, Signature
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.sign import Person, Submission, sign
from tests.servers.browser import chromium

from .measuring import SLUG, Line
from .people import confirm_all, submission
from .serving import serving

PEOPLE = 120
TIMES = 5
SETTLE = 300  # milliseconds for the browser to paint the page
PHONE: dict[str, Any] = {"viewport": {"width": 412, "height": 823}, "device_scale_factor": 1.75, "is_mobile": True}
SLOWER = 4  # Lighthouse's factor between a computer and a phone of the middle class
# The presets of DevTools: "slow 4G" is Lighthouse's phone (1.6 Mbit/s, 150 ms), "3G" was formerly "slow 3G" (400
# kbit/s, 400 ms). DevTools delays requests and not packets, so its presets include several round trips and some
# overhead.
LINES = {
    "slow 4G": {"latency": 562.5, "downloadThroughput": 1_474_560 / 8, "uploadThroughput": 675_000 / 8},
    "3G": {"latency": 2000, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8},
}
KINDS = {"Document": "HTML", "Stylesheet": "CSS", "Script": "JS", "Image": "pictures"}
WATCH = """
window.seen = {largest: 0, shift: 0, long: []};
const watch = (type, see) =>
  new PerformanceObserver(list => list.getEntries().forEach(see)).observe({type, buffered: true});
watch('largest-contentful-paint', entry => { seen.largest = entry.startTime });
watch('layout-shift', entry => { if (!entry.hadRecentInput) seen.shift += entry.value });
watch('longtask', entry => seen.long.push(entry));
"""
READ_TIMES = """() => {
  const first = performance.getEntriesByName('first-contentful-paint')[0].startTime;
  const blocks = seen.long.filter(task => task.startTime >= first).map(task => task.duration - 50);
  const ready = performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
  return [first, seen.largest, ready, blocks.reduce((sum, block) => sum + block, 0), seen.shift];
}"""


@dataclass
class Load:
    """One load of a page: the bytes of each kind with headers, the hosts they came from, and the measured times."""

    bytes: Counter[str] = field(default_factory=Counter)
    hosts: list[str | None] = field(default_factory=list)
    timed: list[float] = field(default_factory=list)


def _load(context: BrowserContext, url: str, line: dict[str, float] | None) -> Load:
    page, load, kinds = context.new_page(), Load(), {}
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    if line is not None:
        devtools.send("Network.emulateNetworkConditions", {"offline": False, **line})
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    def received(event: dict[str, Any]) -> None:
        address = urlsplit(event["response"]["url"])
        if address.scheme != "data":  # a data URL is counted with the style sheet already
            kinds[event["requestId"]] = KINDS.get(event["type"], "other")
            load.hosts.append(address.hostname)

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in kinds:
            load.bytes[kinds[event["requestId"]]] += int(event["encodedDataLength"])

    devtools.on("Network.responseReceived", received)
    devtools.on("Network.loadingFinished", finished)
    page.add_init_script(WATCH)
    page.goto(url, wait_until="load" if line else "networkidle")
    page.wait_for_timeout(SETTLE)
    load.timed = page.evaluate(READ_TIMES)
    page.close()
    return load


def _fill(installation: Installation, paths: dict[str, str]) -> None:
    """Add people to the list of names, and an organizer; ``paths`` gets the organizer's and one signer's link."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        version = get_text_version(session, petition, "kk")
        for number in range(PEOPLE):
            whole = submission(number)
            named = Submission(whole.address, Person(whole.person.name), "kk", "DE", Display.NAME)
            sign(session, installation.vault, petition, version, named, now=installation.now())
        organizer = add_organizer(
            session, "owner@example.org", petition, Role.OWNER, actor=COMMAND_LINE, now=installation.now()
        )
        paths["welcome"] = urlsplit(installation.links.welcome(organizer)).path
        paths["confirmed"] = (
            f"/confirm/{installation.vault.token(LinkPurpose.CONFIRM, session.query(Signature.id).limit(1).scalar())}"
        )
    confirm_all(installation)


def _cookies_of_organizer(browser: Browser, url: str) -> Any:
    page = browser.new_page()
    page.goto(url)
    for name in ("password", "again"):
        page.locator(f"#{name}").fill("four quiet words here")
    page.locator("main button").click()
    page.wait_for_url("**/organize/")
    cookies = page.context.cookies()
    page.context.close()
    return cookies


def _describe_weight(load: Load) -> str:
    kilobytes = ", ".join(f"{kind} {count / 1000:.1f}" for kind, count in load.bytes.items())
    away = sum(host != "127.0.0.1" for host in load.hosts)
    requests = f"{len(load.hosts)} requests, {away} to others"
    return f"{load.bytes.total() / 1000:5.1f} kB in {requests}: {kilobytes}"


def _describe_times(loads: list[Load]) -> str:
    first, largest, ready, blocked, shift = (
        median(times) for times in zip(*(load.timed for load in loads), strict=True)
    )
    return (
        f"first paint {first / 1000:.2f} s, largest {largest / 1000:.2f} s, DOM {ready / 1000:.2f} s, "
        f"blocked {blocked:.0f} ms, shift {shift:.3f}"
    )


def loading(folder: Path) -> Iterator[Line]:
    """Each page for a first visit: its size once, then its times on two lines, as medians of ``TIMES`` loads."""
    paths: dict[str, str] = {}
    with serving(folder, partial(_fill, paths=paths)) as (port, _), chromium() as browser:
        base_url = f"http://127.0.0.1:{port}"
        cookies = _cookies_of_organizer(browser, base_url + paths.pop("welcome"))
        pages = {"front page": "/", **{f"petition, {lang}": f"/{lang}/p/{SLUG}" for lang in ("en", "ru", "kk")}}
        for name, below in {"check your mail": "check-your-mail", "names": "signatures", "updates": "updates"}.items():
            pages[name] = f"/kk/p/{SLUG}/{below}"
        pages |= {"numbers": f"/kk/p/{SLUG}/numbers", **paths, "organizers’ home": "/organize/"}

        def load(path: str, line: dict[str, float] | None = None) -> Load:
            with browser.new_context(**PHONE) as context:
                context.add_cookies(cookies if path.startswith("/organize") else [])
                return _load(context, base_url + path, line)

        for name, path in pages.items():
            yield Line(name, _describe_weight(load(path)))
        for name, path in pages.items():
            for line, conditions in LINES.items():
                yield Line(f"{name}, {line}", _describe_times([load(path, conditions) for _ in range(TIMES)]))
