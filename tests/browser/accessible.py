"""What can be found out by a program about how a page serves people: axe's rules, reading order, width, movement."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GOOD_PRACTICE = "best-practice"
_CONTROLS = {
    "button", "checkbox", "combobox", "link", "listbox", "menuitem", "radio", "searchbox", "spinbutton", "switch",
    "textbox",
}  # fmt: skip


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def find_violations(page: Page, *, is_mail: bool = False) -> list[str]:
    """What axe finds against WCAG 2.0, 2.1 and 2.2, levels A and AA, and good practice: rule, element, what it says.

    A mail need not have the landmarks and headings that are good practice for pages.

    Not within frames: they hold mails, which let no script run; their page is looked at by itself.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    answer = page.evaluate(
        "tags => axe.run(document,"
        " {runOnly: {type: 'tag', values: tags}, iframes: false, resultTypes: ['violations']})",
        TAGS if is_mail else [*TAGS, GOOD_PRACTICE],
    )
    return [
        f"{violation['id']}: {node['html'][:120]}: {node['failureSummary'][:300]}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]


def read_aloud(page: Page) -> list[dict[str, Any]]:
    """The page as a screen reader gets it, in reading order: role, name, and a heading's level."""
    devtools = page.context.new_cdp_session(page)
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    devtools.detach()
    by_id = {node["nodeId"]: node for node in nodes}
    read: list[dict[str, Any]] = []

    def walk(node: dict[str, Any], within: tuple[str, ...]) -> None:
        role = node.get("role", {}).get("value", "")
        if not node.get("ignored"):
            levels = [found["value"]["value"] for found in node.get("properties", []) if found["name"] == "level"]
            name = node.get("name", {}).get("value", "").strip()
            read.append({"role": role, "name": name, "level": levels[0] if levels else None, "within": within})
            within = (*within, role)
        for child in node.get("childIds", []):
            walk(by_id[child], within)

    walk(nodes[0], ())
    return read


def find_unread(page: Page) -> list[str]:
    """What is wrong with the page for whoever only hears it."""
    read, wrong = read_aloud(page), []
    headings = [node["level"] for node in read if node["role"] == "heading"]
    if headings.count(1) != 1 or headings[0] != 1:
        wrong.append(f"headings begin {headings[:3]}, and have {headings.count(1)} of the first level")
    wrong += [
        f"a heading of level {after} follows one of level {before}"
        for before, after in pairwise(headings)
        if after > before + 1
    ]
    landmarks = [node["role"] for node in read]
    wrong += [f"{landmarks.count(role)} × {role}" for role in ("main", "contentinfo") if landmarks.count(role) != 1]
    wrong += [f"a {node['role']} without a name" for node in read if node["role"] in _CONTROLS and not node["name"]]
    places = {"main", "contentinfo", "banner", "navigation", "complementary"}
    first = next((node["name"] for node in read if node["role"] == "link"), "")
    wrong += [
        f"“{node['name'][:60]}” stands in no landmark"
        for node in read
        if node["role"] == "StaticText" and node["name"] not in ("", first) and not places & set(node["within"])
    ]
    return wrong


def find_too_wide(page: Page) -> list[str]:
    """Whatever makes the page scroll sideways, or has its text cut off. Tables scroll within their own frame."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement, wrong = [];
          const width = root.clientWidth;
          if (root.scrollWidth > width) wrong.push(`the page is ${root.scrollWidth} wide, not ${width}`);
          for (const element of document.querySelectorAll('body *')) {
            if (element.closest('.wide, .skip, .trap, svg, option, iframe, pre')) continue;
            const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
            if (!own || !element.checkVisibility()) continue;
            const box = element.getBoundingClientRect(), style = getComputedStyle(element);
            const start = element.outerHTML.slice(0, 100);
            if (box.left < -1 || box.right > width + 1) wrong.push(`outside: ${start}`);
            const cuts = /hidden|clip/.test(style.overflowX + style.overflowY) || style.textOverflow === 'ellipsis';
            const [wide, high] = [element.clientWidth + 1, element.clientHeight + 1];
            if (cuts && (element.scrollWidth > wide || element.scrollHeight > high)) wrong.push(`cut off: ${start}`);
          }
          return wrong;
        }"""
    )
    return found


def find_moving(page: Page) -> list[str]:
    """What moves although the reader has asked for stillness."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(element => {
            const lasts = times => times.split(',').some(time => parseFloat(time) > 0.001);
            return [null, '::before', '::after'].some(part => {
              const style = getComputedStyle(element, part);
              return (style.animationName !== 'none' && lasts(style.animationDuration))
                || lasts(style.transitionDuration) || style.scrollBehavior === 'smooth';
            });
          }).map(element => element.outerHTML.slice(0, 100))"""
    )
    return [*found, *(f"runs: {name}" for name in page.evaluate("() => document.getAnimations().map(String)"))]
