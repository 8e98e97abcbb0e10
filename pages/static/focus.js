/* When a dialog goes, the focus goes back to what opened it; where the page was drawn anew, to what
 * stands for it now, and where that is gone, to the page itself, so that Tab goes on from there.
 */
(() => {
  "use strict";
  const isDialog = (node) => String(node.id).startsWith("q-portal--dialog");
  let opener = null;
  addEventListener("focusin", ({ target }) => {
    // Tab behind the last field of a dialog touches the page for a moment
    if (target === document.body || document.querySelector("[id^=q-portal--dialog]")) return;
    if (!target.closest("[id^=q-portal]")) opener = target;
  });
  function heir() {
    if (opener?.isConnected) return opener;
    const { act, id } = opener?.dataset ?? {};
    return act ? document.querySelector(`[data-act="${CSS.escape(act)}"][data-id="${CSS.escape(id ?? "")}"]`) : null;
  }
  const isLost = () => !document.activeElement || document.activeElement === document.body;
  new MutationObserver((changes) => {
    if (!changes.some((each) => [...each.removedNodes].some(isDialog)) || !isLost()) return;
    heir()?.focus({ preventScroll: true });
    if (isLost()) document.querySelector(".mw-main")?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true });
})();
