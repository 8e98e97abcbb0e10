/* Beside the table: everything about the selected alarm, and what may be done with it now. */
import { figure, tagOf, tagWords, unitOf, when, WORDS } from "./row.js";
import { priorityOf, waits } from "./store.js";
import { askNote } from "./ask.js";

const { make, put, symbol, unit, statedBy, isAgent } = Millwright;
const LINES = 30;
const WINDOW_S = 1800;
/* What the server's table calls an event, and how it looks here; `why` asks for a reason first. */
const ACTIONS = {
  unshelve: { words: "Unshelve" },
  suppress: { words: "Suppress by design…", why: true },
  unsuppress: { words: "End suppression" },
  out_of_service: { words: "Take out of service…", why: true },
  return_to_service: { words: "Return to service" },
  reset: { words: "Reset" },
};
const EVENTS = {
  raise: "raised", escalate: "became worse", ease: "became less", return: "returned", acknowledge: "acknowledged",
  shelve: "shelved", unshelve: "unshelved", expire: "shelving ended", suppress: "suppressed by design",
  unsuppress: "suppression ended", out_of_service: "taken out of service", return_to_service: "returned to service",
  reset: "reset", settle: "calm again",
};

export class Detail {
  constructor(parent, table) {
    this.table = table;
    this.isOpen = false;
    this.box = make("aside", "mw-at-detail mw-card", parent);
    this.box.ariaLabel = "The selected alarm";
    this.box.hidden = true;
  }
  show(alarm) {
    this.box.hidden = !this.isOpen || !alarm || alarm === "heading";
    this.table.classList.toggle("mw-detailed", !this.box.hidden);
    if (this.box.hidden) { this.key = null; return; }
    const key = `${alarm.id}${alarm.number ?? ""}`, version = `${key}${alarm.state}${alarm.changed_at}${priorityOf(alarm)}`;
    if (this.version === version && this.key === key) return;
    const isSame = this.key === key;
    this.key = key; this.version = version;
    if (!isSame) this.build(alarm);
    this.fill(alarm);
  }
  build(alarm) {
    this.box.replaceChildren();
    const head = make("div", "mw-card-title", this.box);
    this.symbol = make("span", "", head);
    this.title = make("h2", "", head);
    const close = make("button", "mw-tool", head, "×");
    close.type = "button"; close.ariaLabel = "Close"; close.onclick = () => { this.isOpen = false; this.table.refresh(); };
    this.lines = make("dl", "mw-nameplate mw-at-facts", this.box);
    this.buttons = make("div", "mw-row", this.box);
    this.todo = make("p", "mw-response", this.box);
    const { path } = tagOf(alarm, this.table.units);
    if (path) {
      const chart = document.createElement("mw-trend");
      const raised = Date.parse(alarm.raised_at);
      chart.setAttribute("paths", JSON.stringify([path]));
      chart.setAttribute("labels", JSON.stringify([tagWords(path, this.table.units)]));
      chart.setAttribute("marks", JSON.stringify([{ t: raised, label: alarm.finding.message, priority: priorityOf(alarm) }]));
      chart.setAttribute("window", String(Math.max(WINDOW_S, Math.min(86400, Math.round((Millwright.live.now() - raised) / 1000) + 600))));
      chart.setAttribute("height", "180"); chart.setAttribute("plain", "");
      this.box.append(chart);
    }
    this.evidence = make("mw-evidence", "", this.box);
    make("h3", "", this.box, "Journal");
    this.journal = make("ol", "mw-at-journal", this.box);
  }
  fill(alarm) {
    const { finding } = alarm, priority = priorityOf(alarm), place = unitOf(alarm, this.table.units);
    this.symbol.innerHTML = symbol(priority, !alarm.isOver && waits(alarm));
    put(this.title, finding.message || finding.condition.replaceAll("_", " "));
    this.lines.replaceChildren();
    this.fact("Unit", place.name, place.known ? `/units/${place.path}` : "");
    const { path: tag } = tagOf(alarm, this.table.units);
    if (tag) this.fact("Tag", tagWords(tag, this.table.units), `/trends?tags=${tag}`);
    this.fact("Raised", when(Date.parse(alarm.raised_at)));
    if (alarm.returned_at) this.fact("Gone", when(Date.parse(alarm.returned_at)));
    if (finding.value !== undefined) this.fact("Value", `${figure(finding.value)} ${unit(finding.unit) ?? ""}`);
    if (finding.limit !== undefined) this.fact("Limit", `${figure(finding.limit)} ${unit(finding.unit) ?? ""}`);
    if (finding.probability !== undefined) this.fact("Probability", `${Math.round(100 * finding.probability)} %`);
    this.fact("State", alarm.isOver ? "over" : WORDS[alarm.state] + (alarm.chattering ? ", chattering" : ""));
    if (alarm.shelved_until) this.fact("Until", when(Date.parse(alarm.shelved_until)));
    this.fact("Stated by", statedBy(finding.agent), isAgent(finding.agent) ? "/agents" : "");
    put(this.todo, finding.response || "");
    this.todo.hidden = !finding.response;
    this.fillButtons(alarm);
    this.evidence.setAttribute("figures", JSON.stringify(finding.evidence ?? {}));
    this.readJournal(alarm);
  }
  fact(name, words, href) {
    make("dt", "", this.lines, name);
    const cell = make("dd", "", this.lines, href ? "" : words);
    if (href) make("a", "mw-link", cell, words).href = href;
  }
  fillButtons(alarm) {
    this.buttons.replaceChildren();
    if (alarm.isOver) return;
    const allowed = this.table.allowed[alarm.state] ?? [];
    const add = (words, act, classes = "") => {
      const button = make("button", `mw-button mw-small ${classes}`, this.buttons, words);
      button.type = "button"; button.onclick = act;
    };
    if (waits(alarm)) add("Acknowledge", () => this.table.send("acknowledge", [alarm]), "mw-primary");
    if (allowed.includes("shelve")) add("Shelve…", () => { this.table.marked.clear(); this.table.choose(alarm.id); this.table.shelve(); });
    for (const [event, { words, why }] of Object.entries(ACTIONS)) {
      if (!allowed.includes(event) || (event === "reset" && waits(alarm))) continue;
      const send = (note = "") => this.table.send(event, [alarm], { note });
      add(words, () => { if (why) askNote(`${words.replace("…", "")}: ${this.table.title([alarm])}`, words.replace("…", ""), true, send); else send(); });
    }
  }
  async readJournal(alarm) {
    const key = this.key;
    let entries = [];
    try {
      const answer = await fetch(`/api/alarms/journal?alarm=${encodeURIComponent(alarm.id)}&limit=${LINES}`);
      if (answer.ok) ({ entries } = await answer.json());
    } catch { return; }       // the page says that the server is away
    if (this.key !== key) return;
    this.journal.replaceChildren();
    for (const entry of entries) {
      const line = make("li", "", this.journal);
      make("time", "", line, when(Date.parse(entry.at)));
      const who = entry.actor === "system" ? "" : ` by ${entry.actor}`;
      make("span", "", line, `${EVENTS[entry.event] ?? entry.event}${who}${entry.why ? ` — ${entry.why}` : ""}`);
    }
  }
}
