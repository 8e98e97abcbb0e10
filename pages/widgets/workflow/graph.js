/* The run graph and its timeline: choosing steps, arrow keys, bars that grow. */
(() => {
  "use strict";
  let isChosen = false, shown = "";        // until a person chooses a step, the page shows the one that tells most
  const choose = (step, round) => { isChosen = true; emitEvent("mw_step", { step, round: round ?? 0 }); };
  function hold(event) {                    // who reads, marks or scrolls keeps what is there
    if (isChosen || !event.target.closest?.(".mw-step, .mw-graph-scroll")) return;
    const node = document.querySelector('.mw-node[aria-pressed="true"]');
    if (node) choose(node.dataset.step);
  }
  for (const type of ["pointerdown", "focusin", "wheel"]) document.addEventListener(type, hold, { passive: true });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.("[data-round]");
    if (chip) { choose(chip.dataset.step, Number(chip.dataset.round)); return; }
    const at = event.target.closest?.(".mw-node, .mw-time[data-step]");
    if (at) choose(at.dataset.step);
    if (at?.matches(".mw-time")) document.querySelector(`.mw-node[data-step="${CSS.escape(at.dataset.step)}"]`)?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  const middle = (node) => { const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };
  const AXES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  document.addEventListener("keydown", (event) => {
    const node = event.target.closest?.(".mw-node"), axis = AXES[event.key];
    if (!node || !axis || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [x, y] = middle(node);
    let best = null, least = Infinity;
    for (const other of document.querySelectorAll(".mw-node")) {
      const [ox, oy] = middle(other), along = (ox - x) * axis[0] + (oy - y) * axis[1];
      const across = Math.abs((ox - x) * axis[1]) + Math.abs((oy - y) * axis[0]);
      if (along > 8 && along + 2 * across < least) { least = along + 2 * across; best = other; }
    }
    if (!best) return;
    best.focus(); best.scrollIntoView({ block: "nearest", inline: "nearest" });
    choose(best.dataset.step);
  });
  function grow() {
    const box = document.querySelector(".mw-times[data-start]");
    if (!box || document.hidden) return;
    const seconds = Math.max(0.1, (Millwright.live.now() - Number(box.dataset.start)) / 1000).toFixed(2);
    box.style.setProperty("--span", seconds);
    for (const bar of box.querySelectorAll("[data-open]")) bar.style.setProperty("--to", seconds);
  }
  // a wide graph is made to fit the paper
  addEventListener("beforeprint", () => { const graph = document.querySelector(".mw-graph"); if (graph) graph.style.zoom = Math.min(1, 680 / graph.offsetWidth); });
  addEventListener("afterprint", () => { const graph = document.querySelector(".mw-graph"); if (graph) graph.style.zoom = ""; });
  function show() {
    const box = document.querySelector(".mw-graph-scroll"), node = box?.querySelector('.mw-node[aria-pressed="true"]');
    if (!node || node.closest("#mw-first")) { requestAnimationFrame(show); return; }
    shown = node.dataset.step;
    box.scrollLeft = node.offsetLeft - (box.clientWidth - node.offsetWidth) / 2;
    box.scrollTop = node.offsetTop - (box.clientHeight - node.offsetHeight) / 2;
  }
  if (location.pathname.startsWith("/runs/")) show();
  setInterval(grow, 1000);
  addEventListener("mw-patched", () => {
    grow();
    const node = document.querySelector('.mw-node[aria-pressed="true"]');
    if (node && !isChosen && node.dataset.step !== shown) show();
  });
})();
