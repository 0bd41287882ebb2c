// What the share step does with a script: the device's own way to share, and copying. The address is the one that the
// page was written with, never that of the page itself, which may be somebody's own.
"use strict";

for (const step of document.querySelectorAll(".share")) {
  const find = (selector) => step.querySelector(selector);
  const [share, copy] = ["share", "copy"].map((does) => find(`[data-does=${does}]`));
  const [field, told] = [find("input"), find("[role=status]")];
  const { title, address: url } = step.dataset;
  if (share && navigator.share) {
    share.parentElement.hidden = false;
    share.addEventListener("click", () => navigator.share({ title, url }).catch(() => {})); // they closed it
  }
  if (!copy) continue;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      told.textContent = told.dataset.copied;
    } catch {
      told.textContent = document.execCommand("copy") ? told.dataset.copied : told.dataset.failed;
    }
  });
}
