/* Lists of runs and commands: parts that the server sends anew, durations, marks, keys.
 *
 * Millwright.patch([[do, key, html]…]): "put" replaces the part data-patch=key, "top" puts a part
 * first in it, "gone" takes it away. Focus, marks and what is unfolded stay.
 */
(() => {
  "use strict";
  const find = (key) => document.querySelector(`[data-patch="${CSS.escape(key)}"]`);
  function build(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  }
  function put(old, fresh) {
    if (old.dataset.shows !== fresh.dataset.shows) { old.replaceWith(fresh); return; } // another step: nothing is kept
    const unfolded = [...old.querySelectorAll(".mw-json")].map((each) => each.classList.contains("mw-all"));
    fresh.querySelectorAll(".mw-json").forEach((each, index) => { if (unfolded[index]) showWhole(each); });
    Millwright.redraw(old, fresh);
  }
  const showWhole = (json) => { json.classList.add("mw-all"); json.querySelector("[data-whole]")?.remove(); };
  const patch = (changes) => Millwright.calm(() => apply(changes));
  function apply(changes) {
    for (const [what, key, html] of changes) {
      const old = find(key);
      if (!old) continue;
      if (what === "gone") old.remove();
      else if (what === "top") old.prepend(build(html));
      else put(old, build(html));
    }
    tick(); count();
    dispatchEvent(new Event("mw-patched"));
  }

  // --- durations of what is under way
  function words(s) {
    if (s < 0.1) return `${Math.round(1000 * s)} ms`;
    if (s < 10) return `${s.toFixed(1)} s`;
    for (const [size, word, until] of [[1, "s", 90], [60, "min", 5400], [3600, "h", 129600]]) if (s < until) return `${Math.round(s / size)} ${word}`;
    return `${Math.round(s / 86400)} d`;
  }
  const isLost = () => Boolean(document.querySelector(".mw-lost")); // nothing said now would reach the server
  const SOON_S = 300; // five minutes: time to read, ask and decide
  function tick() {
    if (document.hidden || isLost()) return;
    const now = Millwright.live.now();
    for (const each of document.querySelectorAll("[data-since]")) {
      const text = words(Math.max(0, (now - Number(each.dataset.since)) / 1000));
      if (each.textContent !== text) each.textContent = text;
    }
    for (const each of document.querySelectorAll("[data-until]")) {
      const left = (Number(each.dataset.until) - now) / 1000, text = left > 0 ? `${words(left)} left` : "time is over";
      if (each.textContent !== text) each.textContent = text;
      each.toggleAttribute("data-soon", left < SOON_S);
    }
  }
  setInterval(tick, 1000);

  // --- marking rows, and what may be done with those that are marked
  const rows = () => [...document.querySelectorAll(".mw-run-row")];
  const marked = () => rows().filter((row) => row.querySelector(".mw-pick")?.checked);
  function count() {
    const bar = document.querySelector(".mw-bulk");
    if (!bar) return;
    const chosen = marked();
    bar.hidden = !chosen.length;
    bar.querySelector(".mw-bulk-count").textContent = `${chosen.length} marked`;
  }
  function mark(row, wanted) { const box = row?.querySelector(".mw-pick"); if (box) { box.checked = wanted ?? !box.checked; count(); } }
  document.addEventListener("change", (event) => { if (event.target.matches?.(".mw-pick")) count(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-bulk]");
    if (button?.dataset.bulk === "none") for (const row of marked()) mark(row, false);
    else if (button?.dataset.bulk === "all") for (const row of rows()) mark(row, true);
    else if (button && !isLost()) emitEvent("mw_bulk", { do: button.dataset.bulk, ids: marked().map((row) => row.dataset.run) });
    const cell = event.target.closest?.(".mw-run-pick"); // the whole cell, for thumbs
    if (cell && event.target === cell) mark(cell.closest(".mw-run-row"));
    const copy = event.target.closest?.("[data-copy]");
    if (copy) copyText(copy);
    const act = event.target.closest?.("[data-act]");
    if (act && !isLost() && !isAsked()) { askedAt = performance.now(); emitEvent("mw_act", { do: act.dataset.act, id: act.dataset.id }); }
    const whole = event.target.closest?.("[data-whole]");
    if (whole) showWhole(whole.closest(".mw-json"));
  });
  // the question that a click brings up takes a moment to come; a second click would bring it up twice
  const ASK_MS = 700;
  let askedAt = -ASK_MS;
  const isAsked = () => performance.now() - askedAt < ASK_MS || Boolean(document.querySelector(".q-dialog"));
  async function copyText(button) {
    const text = button.closest(".mw-json").querySelector("pre").textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch { button.textContent = "The browser refused"; }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest?.(".mw-run-row");
    if (!row || (event.target !== row && !event.target.matches("input.mw-pick"))) return;
    const list = rows(), at = list.indexOf(row);
    if (event.key === "ArrowDown") list[at + 1]?.focus();
    else if (event.key === "ArrowUp") list[at - 1]?.focus();
    else if (event.key === " " && event.target === row) mark(row);
    else if (event.key === "Enter") row.querySelector(".mw-run-open")?.click();
    else return;
    event.preventDefault();
  });
  Object.assign(Millwright, { patch, tick });
})();
document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-state].mw-chip");
  if (chip) emitEvent("mw_state", { state: chip.dataset.state });
});
