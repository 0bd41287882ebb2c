// Solves the form's puzzle (ALTCHA, SHA-256) so that nobody has to answer the question. Without it, or where a page is
// not secure and the browser has no crypto.subtle, the question stays.
"use strict";

(async () => {
  const field = document.getElementById("puzzle");
  if (!field || !window.crypto || !crypto.subtle) return;
  const question = document.getElementById("question");
  const working = document.getElementById("working");
  const puzzle = JSON.parse(field.dataset.puzzle);
  const bytes = new TextEncoder();
  const solves = async (number) => {
    const hash = await crypto.subtle.digest("SHA-256", bytes.encode(puzzle.salt + number));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("") === puzzle.challenge;
  };
  question.hidden = true;
  working.hidden = false;
  const solve = async () => {
    const step = 500;
    for (let first = 0; first <= puzzle.maxNumber; first += step) {
      const numbers = Array.from({ length: step }, (_, index) => first + index);
      const found = (await Promise.all(numbers.map(solves))).indexOf(true);
      if (found >= 0) return first + found;
    }
    throw new Error("The puzzle has no solution");
  };
  const solving = solve().then((number) => {
    const { algorithm, challenge, salt, signature } = puzzle;
    field.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    working.textContent = working.dataset.done;
  });
  solving.catch(() => { question.hidden = false; working.hidden = true; });
  // Who is faster than the puzzle waits for it; a second press while it waits changes nothing.
  let waiting = false;
  field.form.addEventListener("submit", (event) => {
    if (field.value || !question.hidden) return;
    event.preventDefault();
    if (waiting) return;
    waiting = true;
    solving.then(() => field.form.requestSubmit(), () => { waiting = false; });
  });
})();
