// Makes <a data-campaign="https://…/en/p/slug">…</a> on any website a small box with the number of signatures. It asks
// the petition's own server for that number and nobody else, and says nothing of the visitor; without an answer the link
// stays.
"use strict";
(() => {
  const LOOK = `
    :host { display: block; max-width: 420px; font: 16px/1.4 system-ui, sans-serif; }
    div { border: 1px solid #888; border-top: 6px solid var(--colour); border-radius: 6px; padding: 16px; background: #fff; color: #111; }
    p { margin: 0 0 8px; }
    .title { font-size: 20px; font-weight: 700; line-height: 1.25; }
    .count { display: flex; justify-content: space-between; gap: 16px; flex-wrap: wrap; }
    progress { width: 100%; height: 12px; margin: 0 0 12px; accent-color: var(--colour); }
    a { display: inline-block; padding: 10px 20px; border-radius: 6px; background: var(--colour); color: var(--ink); font-weight: 700; text-decoration: none; }
    a:focus-visible { outline: 3px solid #111; outline-offset: 2px; }`;
  const NAMED = /^(https?:\/\/[^/?#]+)\/([a-z]{2,3}(?:[-_]\w+)*)\/p\/([\w-]+)$/i;
  const COLOUR = /^#[0-9a-f]{6}$/i;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };

  const draw = (link, lang, { confirmed, goal }) => {
    const { sign = "Sign", signatures = "Signatures", goal: goalWord = "Goal", colour, ink } = link.dataset;
    const number = (value) => value.toLocaleString(lang.replace("_", "-"));
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // no <style>: the website may forbid one
    sheet.replaceSync(LOOK);
    root.adoptedStyleSheets = [sheet];
    host.style.setProperty("--colour", COLOUR.test(colour) ? colour : "#8f1d2c");
    host.style.setProperty("--ink", COLOUR.test(ink) ? ink : "#ffffff");
    host.lang = lang;
    const count = make("p", "count", "");
    count.append(
      make("span", "", `${signatures}: ${number(confirmed)}`),
      make("span", "", `${goalWord}: ${number(goal)}`),
    );
    const bar = make("progress", "", "");
    bar.max = Math.max(goal, confirmed);
    bar.value = confirmed;
    bar.setAttribute("aria-label", `${signatures}: ${number(confirmed)}`);
    const button = make("a", "", sign);
    button.href = link.href;
    button.rel = "noopener";
    const box = make("div", "", "");
    box.dir = "auto"; // as the title is written, whatever the website is in
    box.append(make("p", "title", link.textContent), count, bar, button);
    root.append(box);
    link.replaceWith(host);
  };

  const turn = async (link) => {
    const named = NAMED.exec(link.dataset.campaign);
    if (!named || !/^https?:$/.test(link.protocol)) return;
    link.removeAttribute("data-campaign"); // another copy of this script leaves it alone
    const how = { credentials: "omit", referrerPolicy: "no-referrer" };
    try {
      const answer = await fetch(`${named[1]}/p/${named[3]}/count.json`, how);
      if (answer.ok) draw(link, named[2], await answer.json());
    } catch {
      // The link stays.
    }
  };

  const begin = () => document.querySelectorAll("a[data-campaign]").forEach(turn);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
