/* The page's plain copy (pages/first_look.py) goes when NiceGUI has built the page itself. */
(() => {
  "use strict";
  const app = document.getElementById("app");
  if (!app) return;
  new MutationObserver((_, observer) => {
    observer.disconnect();
    const at = scrollY;
    document.getElementById("mw-first")?.remove();
    scrollTo(0, at);
  }).observe(app, { childList: true });
})();
