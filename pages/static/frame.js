/* The frame: alarm banner, status line, clock, theme, keyboard, search. */
(() => {
  "use strict";
  const { live, alarms, symbol, make, put, ageWords } = Millwright;
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const PAGES = () => [...document.querySelectorAll(".mw-rail-link[data-key]")].map((link) => ({
    key: link.dataset.key, href: link.getAttribute("href"), label: link.querySelector("span").textContent, icon: link.querySelector("svg").outerHTML }));

  function clock(ms, withDate) {
    const zone = byId("mw-clock")?.dataset.zone;
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit",
      ...(withDate ? { timeZoneName: "short" } : {}) }).format(ms);
  }
  const place = (path) => path.startsWith("system/") ? "/health" : path.split("/").length >= 4 ? `/units/${path.split("/").slice(0, 4).join("/")}` : `/areas/${path}`;
  const acknowledge = (id) => window.emitEvent?.("mw_acknowledge", { id });

  // --- banner
  let isBlinking = false;
  function showAlarms(message) {
    isBlinking = message.unack.some(Boolean);
    for (const count of document.querySelectorAll(".mw-count")) {
      const p = Number(count.dataset.priority), n = message.counts[p - 1], open = message.unack[p - 1];
      const key = `${n} ${open > 0}`;
      if (count.dataset.now === key) continue;
      count.dataset.now = key;
      put(count.querySelector(".mw-count-number"), String(n));
      const mark = count.querySelector(".mw-prio");
      mark.classList.toggle("mw-quiet", !n && !open);
      mark.classList.toggle("mw-blink", open > 0);
      count.classList.toggle("mw-on", n > 0 || open > 0);
      count.title = `${n} active, ${open} not acknowledged`;
    }
    showWorst(message);
  }
  function showWorst(message) {
    const box = byId("mw-worst");
    if (!box) return;
    const worst = message.worst, key = worst ? `${worst.id}${worst.state}${worst.raised_at}${worst.message}${message.flood}` : `none${message.flood}`;
    if (box.dataset.now === key) return;
    box.dataset.now = key;
    box.replaceChildren();
    box.classList.toggle("mw-flood", message.flood);
    if (message.flood) make("b", "mw-flood-word", box, "Alarm flood");
    if (!worst) { make("span", "mw-hint", box, message.counts.some(Boolean) ? "All alarms are acknowledged" : "No alarms"); return; }
    box.insertAdjacentHTML("beforeend", symbol(worst.priority, true));
    make("time", "mw-worst-time", box, clock(Date.parse(worst.raised_at)).slice(0, 5));
    const text = make("a", "mw-worst-text", box, alarms.sentence(worst.equipment, worst.message));
    text.href = `/alarms#${worst.id}`; text.title = `${text.textContent} (${worst.equipment})`;
    const button = make("button", "mw-button mw-primary mw-small", box, "Ack");
    button.type = "button"; button.dataset.alarmId = worst.id; button.title = "Acknowledge this alarm";
    button.onclick = () => { button.disabled = true; acknowledge(worst.id); setTimeout(() => { button.disabled = false; }, 3000); };
    const open = make("a", "mw-button mw-small", box, "Open");
    open.href = place(worst.equipment);
  }

  setInterval(() => root.classList.toggle("mw-dim", isBlinking && !root.classList.contains("mw-dim")), 500);

  // --- status line
  function showStatus(message) {
    const broker = byId("mw-broker"), agents = byId("mw-agents");
    if (!broker) return;
    broker.classList.toggle("mw-wrong", !message.broker.ok);
    put(broker, message.broker.ok ? "broker ok" : `broker ${message.broker.word}`);
    broker.title = message.broker.reason || "Messages flow";
    const { running, total } = message.agents;
    agents.classList.toggle("mw-wrong", running < total);
    put(agents, `agents ${running}/${total}`);
    agents.title = `${running} of ${total} agents are running`;
    openApprovals = message.approvals ?? 0;
    showBadges();
    showAway(message.broker);
  }
  // told when it lasts, so that nothing jumps under a pointer when the broker is only started again
  const AWAY_MS = 3000;
  let awayTimer = 0;
  function showAway(broker) {
    const box = byId("mw-no-broker");
    clearTimeout(awayTimer);
    if (!broker.away || !box.hidden) { drawAway(box, broker); return; }
    awayTimer = setTimeout(() => drawAway(box, broker), AWAY_MS);
  }
  function drawAway(box, broker) {
    Millwright.calm(() => {
      put(box.querySelector("time"), clock(broker.since));
      put(box.querySelector("span"), [broker.reason, broker.remedy].filter(Boolean).map((words) => `${words}.`).join(" "));
      box.hidden = !broker.away;
    });
  }
  let openApprovals = 0;
  function showBadges() {
    for (const badge of document.querySelectorAll('[data-badge="/approvals"]')) {
      put(badge, openApprovals > 99 ? "99+" : String(openApprovals));
      badge.hidden = !openApprovals; badge.title = `${openApprovals} open`;
    }
  }
  let isLost = false;
  setInterval(() => { const box = byId("mw-clock"); if (box && !isLost) put(box, clock(live.now(), true)); }, 1000);

  // --- nobody there
  function showLink({ up, sinceMs }) {
    isLost = !up;
    let box = byId("mw-stale");
    if (up) { box?.remove(); return; }
    if (!box) { box = make("div", "mw-stale"); box.id = "mw-stale"; box.setAttribute("role", "alert"); document.body.append(box); }
    put(box, `No data from the server since ${clock(sinceMs)}. Reconnecting\u2026`);
  }

  // --- theme
  function toggleTheme() {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    if (next === system) localStorage.removeItem("mw-theme"); else localStorage.setItem("mw-theme", next);
    applyTheme(next);
  }
  function applyTheme(theme) {
    root.dataset.theme = theme;
    dispatchEvent(new Event("mw-theme"));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (!localStorage.getItem("mw-theme")) applyTheme(event.matches ? "dark" : "light");
  });

  // --- search and keys
  function sheet(id, label) {
    close();
    const back = make("div", "mw-sheet-back", document.body), box = make("div", "mw-sheet", back);
    back.id = id; box.setAttribute("role", "dialog"); box.ariaLabel = label; box.ariaModal = "true";
    cameFrom = document.activeElement;
    behind(true); box.tabIndex = -1; box.focus();
    back.onclick = (event) => { if (event.target === back) close(); };
    return box;
  }
  let cameFrom = null;
  const behind = (isInert) => { const shell = document.querySelector(".mw-shell"); if (shell) shell.inert = isInert; };
  function close() {
    const open = document.querySelector(".mw-sheet-back");
    if (!open) return;
    open.remove(); behind(false);
    cameFrom?.focus?.();
  }

  async function findWork(text) {
    const low = text.toLowerCase();
    const ask = async (path) => { try { const answer = await fetch(path); return answer.ok ? await answer.json() : []; } catch { return []; } };
    const [flows, runs] = await Promise.all([ask("/api/workflows"), ask(`/api/runs?limit=8&text=${encodeURIComponent(text)}`)]);
    const title = (name) => flows.find((flow) => flow.name === name)?.workflow?.title || name.replaceAll("_", " ");
    const found = flows.filter((flow) => `${flow.name} ${flow.workflow?.title ?? ""}`.toLowerCase().includes(low)).slice(0, 8)
      .map((flow) => ({ kind: "workflow", href: `/workflows?find=${encodeURIComponent(flow.name)}`, label: title(flow.name), path: flow.name }));
    return [...found, ...runs.map((run) => ({ kind: "run", href: `/runs/${run.id}`, label: `${title(run.workflow)}, ${run.state}`, path: run.id }))];
  }

  function openSearch() {
    const box = sheet("mw-search", "Search");
    const input = make("input", "mw-search-input", box), list = make("div", "mw-hits", box);
    input.placeholder = "Tags, units, alarms, workflows, runs, pages"; input.type = "search"; input.autocomplete = "off";
    let chosen = 0, timer = 0;
    const choose = (index) => {
      const rows = [...list.querySelectorAll("a")];
      if (!rows.length) return;
      chosen = (index + rows.length) % rows.length;
      rows.forEach((row, i) => row.classList.toggle("mw-chosen", i === chosen));
      rows[chosen].scrollIntoView({ block: "nearest" });
    };
    const show = (text, hits) => {
      const low = text.toLowerCase();
      const rows = PAGES().filter((p) => p.label.toLowerCase().includes(low)).map((p) => ({ kind: "page", href: p.href, label: p.label, sub: "" }));
      for (const hit of hits) {
        const href = hit.href ? hit.href : hit.kind === "area" ? `/areas/${hit.path}` : hit.kind === "unit" ? `/units/${hit.path}` : `/trends?tags=${hit.path}`;
        rows.push({ kind: hit.kind, href, label: hit.label, sub: hit.path });
      }
      if (low) for (const alarm of alarms.all()) {
        if (rows.length > 40) break;
        if (`${alarm.finding.message} ${alarm.finding.equipment}`.toLowerCase().includes(low)) {
          const { equipment, message } = alarm.finding;
          rows.push({ kind: "alarm", href: `/alarms#${alarm.id}`, label: alarms.sentence(equipment, message), sub: equipment });
        }
      }
      list.replaceChildren();
      for (const row of rows) {
        const link = make("a", "mw-hit", list); link.href = row.href;
        make("span", "mw-hit-kind", link, row.kind); make("span", "mw-hit-label", link, row.label); make("span", "mw-hit-path", link, row.sub);
      }
      if (!rows.length) make("p", "mw-hint", list, `Nothing is called \u201c${text}\u201d`);
      choose(0);
    };
    const ask = async () => {
      const text = input.value.trim();
      if (!text) { show("", []); return; }
      const [hits, work] = await Promise.all([live.find(text), findWork(text)]);
      if (input.value.trim() === text) show(text, [...hits, ...work]);
    };
    input.oninput = () => { clearTimeout(timer); timer = setTimeout(ask, 120); };
    input.onkeydown = (event) => {
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen - 1);
      else if (event.key === "Enter") list.querySelector(".mw-chosen")?.click();
      else return;
      event.preventDefault();
    };
    show("", []);
    input.focus();
  }
  const WORK_KEYS = [["\u2191 \u2193", "Next or previous row of runs and commands"], ["Space", "Mark the row"], ["Enter", "Open the row"], ["\u2190 \u2191 \u2192 \u2193", "Next step in the graph of a run"]];
  const EDITOR_KEYS = [["n", "Add a step"], ["Ctrl S", "Save"], ["Ctrl Z", "Undo"], ["Ctrl Shift Z", "Redo"]];
  function openKeys() {
    const box = sheet("mw-keys", "Keys"), table = make("table", "mw-table", box);
    make("h2", "", box, "Keys"); box.prepend(box.lastChild);
    const rows = [["/", "Search everything"], ["?", "This list"], ["a", "Acknowledge the selected alarm, else the worst"], ["s", "Shelve the selected alarm, on the alarm page"], ["Esc", "Close"],
      ...(document.querySelector(".mw-runs-card, .mw-node") ? WORK_KEYS : []), ...(document.querySelector("mw-workflow-editor") ? EDITOR_KEYS : []),
      ...PAGES().map((p) => [`g ${p.key}`, p.label])];
    for (const [keys, words] of rows) {
      const row = make("tr", "", table);
      const cell = make("td", "", row);
      keys.split(" ").forEach((key) => make("kbd", "", cell, key));
      make("td", "", row, words);
    }
  }
  function openMore() {
    const box = sheet("mw-more-sheet", "Pages");
    box.append(byId("mw-more-pages").content.cloneNode(true));
    showBadges();
  }
  let goUntil = 0;
  function onKey(event) {
    if (event.key === "Escape") { close(); return; }
    if (document.querySelector(".q-dialog, .mw-sheet-back")) return; // what is typed there is not meant for the page behind
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
    if (performance.now() < goUntil) {
      goUntil = 0;
      const page = PAGES().find((p) => p.key === event.key);
      if (page) { event.preventDefault(); location.href = page.href; }
      return;
    }
    const actions = { g: () => { goUntil = performance.now() + 1500; }, "/": openSearch, "?": openKeys, a: acknowledgeSelected };
    if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
  }
  function acknowledgeSelected() {
    const selected = document.activeElement?.closest?.("[data-alarm-id]") ?? document.querySelector("[data-alarm-id][aria-selected=true]") ?? document.querySelector("#mw-worst [data-alarm-id]");
    if (selected) acknowledge(selected.dataset.alarmId);
  }

  // NiceGUI mounts the page after this script has run
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-acknowledge]");
    if (button) { button.disabled = true; acknowledge(button.dataset.acknowledge); setTimeout(() => { button.disabled = false; }, 3000); }
    if (event.target.closest?.("#mw-more")) openMore();
    const tool = event.target.closest?.(".mw-tool");
    if (!tool) return;
    if (tool.id === "mw-search-open") openSearch();
    if (tool.id === "mw-keys-open") openKeys();
    if (tool.id === "mw-theme") toggleTheme();
    if (tool.id === "mw-sound") Millwright.sound.toggle();
  });
  function begin() {
    if (!byId("mw-worst")) { requestAnimationFrame(begin); return; }
    Millwright.sound.start();
    live.onAlarms((message) => Millwright.calm(() => showAlarms(message))); live.onStatus(showStatus); live.onLink(showLink);
    put(byId("mw-clock"), clock(live.now(), true));
  }
  begin();
  Object.assign(Millwright, { clock, ageWords, acknowledge, sheet, closeSheet: close });
})();
