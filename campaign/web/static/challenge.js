// Solves a puzzle (ALTCHA, PBKDF2) in place of the form's question while somebody fills in the form. Where it cannot,
// say because the page is not secure or the network is gone, the question stays or comes back.
"use strict";

const AT_ONCE = 8;
const GOOD_FOR = 50 * 60 * 1000; // milliseconds; the server takes it for an hour

const asked = document.getElementById("challenge");
const [question, told, solved] = ["question", "told", "puzzle"].map((id) => document.getElementById(id));
const form = asked && asked.closest("form");

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (each) => parseInt(each, 16));
const written = (buffer) => Array.from(new Uint8Array(buffer), (each) => each.toString(16).padStart(2, "0")).join("");

async function derive(parameters, counter) {
  const password = new Uint8Array([...bytes(parameters.nonce), 0, 0, 0, 0]);
  new DataView(password.buffer).setUint32(password.length - 4, counter);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(parameters.salt), iterations: parameters.cost };
  return written(await crypto.subtle.deriveBits(how, key, parameters.keyLength * 8));
}

async function solve() {
  const answer = await fetch(asked.dataset.puzzle, { credentials: "omit" });
  if (!answer.ok) throw new Error("There is no puzzle");
  const challenge = await answer.json();
  const parameters = challenge.parameters;
  if (!parameters) return ""; // nothing is asked any more
  for (let first = 0; ; first += AT_ONCE) {
    const counters = Array.from({ length: AT_ONCE }, (_, each) => first + each);
    const keys = await Promise.all(counters.map((counter) => derive(parameters, counter)));
    const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
    if (found >= 0) {
      const solution = { counter: counters[found], derivedKey: keys[found] };
      return btoa(JSON.stringify({ challenge, solution }));
    }
  }
}

function takeOver() {
  let begun = 0;
  let ready = Boolean(solved.value);
  let pressed = false;

  const say = (when) => {
    told.firstElementChild.textContent = told.querySelector(`[data-when=${when}]`).textContent;
  };

  function giveUp() {
    pressed = false;
    begun = Infinity;
    told.hidden = true;
    question.hidden = false;
    form.removeEventListener("submit", send);
  }

  async function begin() {
    const started = begun = Date.now();
    ready = false;
    say("busy");
    try {
      const payload = await solve();
      if (begun !== started) return;
      solved.value = payload;
      ready = true;
      say("done");
      if (pressed) form.submit();
    } catch {
      giveUp();
    }
  }

  function send(event) {
    const isOld = begun && Date.now() - begun > GOOD_FOR;
    if (ready && !isOld) return;
    event.preventDefault();
    pressed = true;
    if (!begun || isOld) begin();
  }

  question.hidden = true;
  told.hidden = false;
  if (ready) say("done");
  form.addEventListener("submit", send);
  form.addEventListener("focusin", () => { if (!begun && !ready) begin(); });
  form.addEventListener("input", () => { if (!begun && !ready) begin(); });
}

if (asked && !("byHand" in asked.dataset) && window.crypto && crypto.subtle && window.fetch) takeOver();
