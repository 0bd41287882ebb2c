// Asks now and then how many have signed, while somebody looks at the page, for an hour at most.
(() => {
  const shown = document.querySelector("[data-count]");
  if (!shown || !window.fetch) return;
  const [number, words, bar] = ["strong", "span", "progress"].map((name) => shown.querySelector(name));
  const SECOND = 1000, FIRST = 30 * SECOND, LONGEST = 600 * SECOND, END = Date.now() + 3600 * SECOND;
  let wait = FIRST;
  const again = () => { if (Date.now() < END) setTimeout(ask, wait); };
  const ask = async () => {
    if (document.hidden) {
      document.addEventListener("visibilitychange", ask, { once: true });
      return;
    }
    try {
      const answer = await fetch(shown.dataset.count, { credentials: "omit" });
      if (!answer.ok) throw new Error(answer.status);
      const told = await answer.json();
      if (number.textContent !== told.number || words.textContent !== told.words) {
        number.textContent = told.number;
        words.textContent = told.words;
        bar.max = Math.max(told.goal, told.confirmed);
        bar.value = told.confirmed;
      }
      wait = FIRST;
    } catch {
      wait = Math.min(wait * 2, LONGEST);  // a server in trouble is left alone
    }
    again();
  };
  again();
})();
