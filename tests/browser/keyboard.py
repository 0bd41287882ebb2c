"""Walking through a page with the Tab key alone: where the focus goes, if it is seen, and that it gets out again."""

from dataclasses import dataclass

from playwright.sync_api import Page

_MOST_STOPS = 150
# All that can be reached, in the order of the page; of the radio buttons of a group only the chosen one.
_FIND_ALL = """() => {
  const may = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"], iframe';
  window.stops = [...document.querySelectorAll(may)].filter(element =>
    element.tabIndex >= 0 && !element.disabled && element.checkVisibility()
    && (element.type !== 'radio' || element.checked));
  return window.stops.length;
}"""
# The number of the element that has the focus, and what is wrong with how it is seen.
_LOOK = """() => {
  const element = document.activeElement, number = window.stops.indexOf(element);
  if (number < 0) return {number, tag: element.tagName, wrong: []};
  const tag = element.outerHTML.slice(0, 100), wrong = [], style = getComputedStyle(element);
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [style.outlineColor, getComputedStyle(document.documentElement).backgroundColor]
    .map(luminance).sort((a, b) => a - b);
  if (style.outlineStyle !== 'solid' || parseFloat(style.outlineWidth) < 2) wrong.push(`no outline: ${tag}`);
  else if ((light + 0.05) / (dark + 0.05) < 3) wrong.push(`a pale outline, ${style.outlineColor}: ${tag}`);
  const box = element.getClientRects()[0];
  // A browser shows the line in which one types, so the end of a field may be below the screen.
  const within = (start, length, most) => (Math.max(start, 0) + Math.min(start + length, most - 1)) / 2;
  const seen = document.elementFromPoint(
    within(box.x, box.width, innerWidth), within(box.y, box.height, innerHeight));
  const label = element.labels ? [...element.labels] : [];
  const own = seen && (element.contains(seen) || seen.contains(element) || label.some(one => one.contains(seen)));
  if (!own) wrong.push(`covered by ${seen ? seen.outerHTML.slice(0, 60) : 'the edge of the screen'}: ${tag}`);
  return {number, tag, wrong};
}"""


@dataclass(frozen=True)
class Walk:
    """Stops are numbered in the order of the page; ``wrong`` is what is seen of them."""

    expected: list[int]
    stops: list[int]
    wrong: list[str]


def walk(page: Page) -> Walk:
    """From the top of the page to where the focus leaves it."""
    count = page.evaluate(_FIND_ALL)
    stops: list[int] = []
    wrong: list[str] = []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(_LOOK)
        if found["number"] < 0 and found["tag"] == "BODY":
            break
        stops.append(found["number"])
        wrong += found["wrong"]
    return Walk(list(range(count)), stops, wrong)


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on what is asked for."""
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"The Tab key never comes to {selector}.")
