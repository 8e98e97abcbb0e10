/* "You are …": the name this browser acts under, kept in a cookie that each page sends along. */
(() => {
  "use strict";
  const { make, put } = Millwright;
  const YEAR_S = 31536000, KEPT = "mw-name";
  const button = () => document.getElementById("mw-you");

  function open() {
    const you = button().dataset, box = Millwright.sheet("mw-who", "Who you are");
    make("h2", "", box, "You are");
    const form = make("form", "mw-who-form", box), input = make("input", "mw-search-input", form);
    input.value = you.name; input.maxLength = Number(you.limit); input.ariaLabel = "Your name"; input.autocomplete = "off";
    make("button", "mw-button mw-primary", form, "Keep");
    const why = make("p", "mw-who-why", box); why.setAttribute("role", "alert");
    make("p", "mw-hint", box, `Role: ${you.role}. The settings give roles to names, in [people].`);
    make("p", "mw-hint", box, `${you.claim}. It stands in the journal behind what you do here, and of two persons who must agree it must be another.`);
    form.onsubmit = (event) => {
      event.preventDefault();
      if (!input.value.trim()) { input.focus(); return; }
      emitEvent("mw_name", { name: input.value });
    };
    input.focus(); input.select();
  }

  function you(name, role) {
    document.cookie = `mw_name=${encodeURIComponent(name)}; path=/; max-age=${YEAR_S}; samesite=lax`;
    if (localStorage.getItem(KEPT) !== name) localStorage.setItem(KEPT, name);
    const shown = button();
    if (!shown) return;
    shown.dataset.name = name; shown.dataset.role = role;
    put(shown.querySelector(".mw-you-name"), name);
    if (document.getElementById("mw-who")) Millwright.closeSheet();
    shown.title = `You are ${name} (${role}). ${shown.dataset.claim}`;
    shown.ariaLabel = `You are ${name}, ${role}; change the name`;
  }

  /* The name stays in its field, to be mended there; the refusal may come after the sheet was closed. */
  function notYou(reason) {
    const box = document.querySelector("#mw-who .mw-who-why");
    if (!box) return;
    put(box, reason);
    document.querySelector("#mw-who input").select();
  }

  document.addEventListener("click", (event) => { if (event.target.closest?.("#mw-you")) open(); });
  // another tab of this browser changed it
  addEventListener("storage", (event) => { if (event.key === KEPT && event.newValue) emitEvent("mw_name", { name: event.newValue }); });
  Object.assign(Millwright, { you, notYou });
})();
