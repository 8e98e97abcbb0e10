/* <mw-alarm-table>: open and over alarms in one table; only the rows in sight are in the document.
 *
 * Data: /live for open alarms, /api/alarms/history for the rest (store.js). What an operator does
 * goes to the server as the event "mw_alarm" {do, ids, note, minutes}. Keys: up, down, page, home,
 * end move; space marks; a acknowledges; s shelves; enter opens; escape closes.
 */
import { AlarmStore, priorityOf, VIEWS, waits } from "./store.js";
import { Row, unitOf } from "./row.js";
import { Detail } from "./detail.js";
import { askNote, askShelve } from "./ask.js";

const { make, put, symbol } = Millwright;
const SPARE = 6;               // rows drawn above and below what is seen
const HEIGHTS = { wide: 52, narrow: 92 };
const NARROW = matchMedia("(max-width: 760px)");
const MOST_AT_ONCE = 500;      // alarms in one acknowledgement, the server's limit

class AlarmTable extends HTMLElement {
  connectedCallback() {
    if (this.store) return;
    const read = (name) => JSON.parse(this.getAttribute(name) || "{}");
    this.units = read("units"); this.allowed = read("allowed"); this.shelveLimit = Number(this.getAttribute("shelve")) || 480;
    this.marked = new Set();
    this.chosen = null;          // key of the selected row
    this.pool = [];
    this.trendSize = { width: 0, height: 0 };
    this.tools = make("div", "mw-at-tools", this);
    this.actions = make("div", "mw-at-actions", this);
    this.body = make("div", "mw-at-body", this);
    this.left = make("div", "mw-at-left", this.body);
    this.header();
    this.port = make("div", "mw-at-port", this.left);
    this.port.tabIndex = 0; this.port.setAttribute("role", "grid"); this.port.ariaLabel = "Alarms";
    this.space = make("div", "mw-at-space", this.port);
    this.empty = make("div", "mw-at-empty", this.left);
    this.detail = new Detail(this.body, this);
    this.store = new AlarmStore(() => this.refresh());
    this.buildTools();
    this.port.onscroll = () => this.refresh();
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey, true);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.port);
    this.onTheme = () => this.repaint();
    addEventListener("mw-theme", this.onTheme);
    this.onHash = () => this.chooseFromAddress();
    addEventListener("hashchange", this.onHash);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.fit();
    this.readAddress();
    this.store.start().then(() => this.chooseFromAddress());
  }
  disconnectedCallback() {
    this.store?.end();
    document.removeEventListener("keydown", this.onKey, true);
    removeEventListener("mw-theme", this.onTheme);
    removeEventListener("hashchange", this.onHash);
    this.observer?.disconnect();
    clearInterval(this.ticking);
  }

  // --- filters
  header() {
    const head = make("div", "mw-ar mw-at-header", this.left);
    for (const words of ["", "", "Raised", "Unit", "Alarm", "Value", "30 minutes", "What to do", "State"]) make("span", "", head, words);
  }
  buildTools() {
    const views = make("div", "mw-at-group", this.tools);
    this.viewButtons = Object.entries(VIEWS).map(([name, { words }]) => {
      const button = make("button", "mw-chip", views, words);
      button.type = "button"; button.onclick = () => this.filter({ view: name }); button.dataset.view = name;
      return button;
    });
    const priorities = make("div", "mw-at-group", this.tools);
    this.priorityButtons = [1, 2, 3, 4].map((priority) => {
      const button = make("button", "mw-chip", priorities);
      button.type = "button"; button.innerHTML = symbol(priority, false); button.title = button.firstChild.ariaLabel;
      button.onclick = () => this.togglePriority(priority);
      return button;
    });
    this.area = make("select", "mw-at-field", this.tools);
    this.area.ariaLabel = "Area";
    make("option", "", this.area, "All areas").value = "";
    const areas = new Set(Object.keys(this.units).map((path) => path.split("/").slice(0, 2).join("/")));
    for (const area of [...areas].sort()) make("option", "", this.area, area.replace("/", " / ")).value = area;
    this.area.onchange = () => this.filter({ equipment: this.area.value });
    this.text = make("input", "mw-at-field mw-at-text", this.tools);
    this.text.type = "search"; this.text.placeholder = "Text or unit"; this.text.ariaLabel = "Text or unit";
    this.text.oninput = () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.filter({ text: this.text.value }), 150); };
    this.count = make("span", "mw-hint mw-at-count", this.tools);
    this.count.setAttribute("role", "status");
    this.ackButton = this.button("Acknowledge", "a", "mw-primary", () => this.acknowledge());
    this.noteButton = this.button("With note…", "", "", () => this.acknowledge(true));
    this.shelveButton = this.button("Shelve…", "s", "", () => this.shelve());
    this.allButton = this.button("Mark all in view", "", "", () => this.markAll());
    this.clearButton = this.button("Clear marks", "", "", () => { this.marked.clear(); this.refresh(); });
  }
  button(words, key, classes, act) {
    const made = make("button", `mw-button mw-small ${classes}`, this.actions, words);
    made.type = "button"; made.onclick = act; made.dataset.words = words;
    if (key) made.title = `Key ${key}`;
    return made;
  }
  filter(change) {
    this.store.set(change);
    const { view, priorities, equipment, text } = this.store.filter, query = new URLSearchParams();
    if (view !== "all") query.set("view", view);
    for (const priority of priorities) query.append("priority", priority);
    if (equipment) query.set("area", equipment);
    if (text.trim()) query.set("text", text.trim());
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
    this.port.scrollTop = 0;
    this.showFilter();
  }
  togglePriority(priority) {
    const next = new Set(this.store.filter.priorities);
    if (!next.delete(priority)) next.add(priority);
    this.filter({ priorities: next });
  }
  readAddress() {
    const query = new URLSearchParams(location.search), view = query.get("view");
    this.area.value = query.get("area") ?? "";
    this.text.value = query.get("text") ?? "";
    Object.assign(this.store.filter, {
      view: VIEWS[view] ? view : "all",
      priorities: new Set(query.getAll("priority").map(Number).filter((each) => each >= 1 && each <= 4)),
      equipment: this.area.value, text: this.text.value,
    });
    this.showFilter();
  }
  showFilter() {
    const { view, priorities } = this.store.filter;
    for (const button of this.viewButtons) button.ariaPressed = String(button.dataset.view === view);
    this.priorityButtons.forEach((button, i) => {
      button.ariaPressed = String(priorities.has(i + 1));
      button.firstChild.classList.toggle("mw-quiet", !priorities.has(i + 1));   // colour means trouble
    });
  }

  // --- drawing
  get rowHeight() { return NARROW.matches ? HEIGHTS.narrow : HEIGHTS.wide; }
  fit() {
    const top = this.getBoundingClientRect().top + scrollY;
    this.style.setProperty("--mw-at-top", `${Math.round(top)}px`);
    this.repaint();
  }
  refresh() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }
  /* Measured once, not by each row: reading sizes between writes would lay the page out each time. */
  measure() {
    const canvas = this.pool.find((row) => !row.box.hidden)?.canvas, style = getComputedStyle(this);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.trendSize = { width: canvas?.clientWidth ?? 0, height: canvas?.clientHeight ?? 0,
      style: { limit: colour("--ink-3"), trace: colour("--trace"), priorities: { 1: colour("--p1"), 2: colour("--p2"), 3: colour("--p3"), 4: colour("--p4") } } };
  }
  repaint() {
    this.measure();
    for (const row of this.pool) row.shown = undefined;
    this.refresh();
  }
  draw() {
    const height = this.rowHeight, length = this.store.length;
    this.space.style.height = `${length * height}px`;
    const first = Math.max(0, Math.floor(this.port.scrollTop / height) - SPARE);
    const last = Math.min(length, Math.ceil((this.port.scrollTop + this.port.clientHeight) / height) + SPARE);
    while (this.pool.length < last - first) this.pool.push(new Row(this.space, this));
    if (!this.trendSize.width && this.pool.length) this.measure();
    // a row keeps its place in the pool while it stays in sight, so that scrolling fills few rows
    const size = Math.max(this.pool.length, 1), taken = new Set();
    for (let index = first; index < last; index++) {
      const key = this.store.keyOf(index);
      taken.add(index % size);
      this.pool[index % size].fill(index, this.store.row(index), key !== null && key === this.chosen, this.marked.has(key));
    }
    this.pool.forEach((row, i) => { if (!taken.has(i)) row.box.hidden = true; });
    this.port.ariaRowCount = String(length);
    this.showState();
  }
  showState() {
    const { store } = this, open = store.opened;
    for (const key of this.marked) if (!store.open.has(key)) this.marked.delete(key);
    const over = store.heading >= 0 ? `, ${Millwright.number(store.total, 0)} over` : "";
    put(this.count, store.isLoaded ? `${Millwright.number(open, 0)} ${store.filter.view === "hidden" ? "hidden" : "open"}${over}` : "Loading…");
    this.classList.toggle("mw-loading", !store.isLoaded && !store.error);
    const nothing = store.isLoaded && store.length === 0;
    this.empty.hidden = !nothing && !store.error;
    this.port.hidden = nothing;
    if (store.error) put(this.empty, store.error);
    else if (nothing) put(this.empty, this.isFiltered() ? "No alarm fits these filters." : "No alarms. An alarm appears here the moment an agent or a limit raises one, and stays in the list when it is over.");
    const targets = this.targets(), waiting = targets.filter(waits);
    put(this.ackButton, waiting.length > 1 ? `Acknowledge ${waiting.length}` : "Acknowledge");
    this.ackButton.disabled = this.noteButton.disabled = !waiting.length;
    const shelvable = targets.filter((alarm) => this.allowed[alarm.state]?.includes("shelve"));
    put(this.shelveButton, shelvable.length > 1 ? `Shelve ${shelvable.length}…` : "Shelve…");
    this.shelveButton.disabled = !shelvable.length;
    this.clearButton.hidden = !this.marked.size;
    this.allButton.hidden = store.opened < 2;
    const isDetailed = !this.detail.box.hidden;
    this.detail.show(this.chosenAlarm());
    if (isDetailed === this.detail.box.hidden) requestAnimationFrame(() => this.repaint());
  }
  isFiltered() {
    const { view, priorities, equipment, text } = this.store.filter;
    return view !== "all" || priorities.size > 0 || Boolean(equipment || text.trim());
  }
  headingWords() { return `Over · ${Millwright.number(this.store.total, 0)}`; }
  tick() {
    for (const row of this.pool) if (row.shown && !row.box.hidden) row.tick(row.shown);
  }

  // --- choosing and acting
  chosenAlarm() {
    if (this.chosen === null) return null;
    const index = this.store.indexOf(this.chosen);
    return index < 0 ? this.store.open.get(this.chosen) ?? null : this.store.row(index);
  }
  targets() {
    const keys = this.marked.size ? [...this.marked] : [this.chosen];
    return keys.map((key) => this.store.open.get(key)).filter(Boolean).slice(0, MOST_AT_ONCE);
  }
  clicked(index, event) {
    if (event.target.closest("a")) return;
    if (event.ctrlKey || event.metaKey) { this.toggle(index); return; }
    if (event.shiftKey) { this.markRange(index); return; }
    const key = this.store.keyOf(index);
    this.detail.isOpen = this.chosen !== key || !this.detail.isOpen;
    this.choose(key);
    this.port.focus({ preventScroll: true });
  }
  choose(key) {
    this.chosen = key;
    this.refresh();
  }
  toggle(index) {
    const key = this.store.keyOf(index);
    if (key === null || !this.store.open.has(key)) return;
    if (!this.marked.delete(key)) this.marked.add(key);
    this.refresh();
  }
  markRange(index) {
    const from = Math.max(0, this.store.indexOf(this.chosen));
    for (let i = Math.min(from, index); i <= Math.max(from, index); i++) {
      const key = this.store.keyOf(i);
      if (key && this.store.open.has(key)) this.marked.add(key);
    }
    this.refresh();
  }
  markAll() {
    for (const alarm of this.store.rows) this.marked.add(alarm.id);
    this.refresh();
  }
  chooseFromAddress() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id) return;
    const index = this.store.indexOf(id);
    this.detail.isOpen = true;
    this.choose(id);
    if (index >= 0) this.reveal(index);
  }
  reveal(index) {
    const top = index * this.rowHeight, bottom = top + this.rowHeight;
    if (top < this.port.scrollTop) this.port.scrollTop = top;
    if (bottom > this.port.scrollTop + this.port.clientHeight) this.port.scrollTop = bottom - this.port.clientHeight;
  }
  move(step) {
    const now = this.chosen === null ? -1 : this.store.indexOf(this.chosen);
    let index = Math.min(this.store.length - 1, Math.max(0, now + step));
    if (this.store.row(index) === "heading") index += step > 0 ? 1 : -1;
    const key = this.store.keyOf(index);
    this.reveal(index);
    if (key !== null) this.choose(key);
  }
  acknowledge(withNote = false) {
    const waiting = this.targets().filter(waits);
    if (!waiting.length) return;
    if (!withNote) { this.stepOn(waiting); this.send("acknowledge", waiting); return; }
    askNote(`Acknowledge ${this.title(waiting)}`, "Acknowledge", false, (note) => this.send("acknowledge", waiting, { note }));
  }
  /* An acknowledged alarm moves down the list: the next that waits is chosen, so that "a" goes on. */
  stepOn(done) {
    if (this.detail.isOpen || this.marked.size || done[0].id !== this.chosen) return;
    const at = this.store.indexOf(this.chosen);
    const next = [...this.store.rows.slice(at + 1), ...this.store.rows.slice(0, at)].find(waits);
    if (next) { this.chosen = next.id; this.reveal(this.store.indexOf(next.id)); }
  }
  shelve() {
    const targets = this.targets().filter((alarm) => this.allowed[alarm.state]?.includes("shelve"));
    if (targets.length) askShelve(this.title(targets), this.shelveLimit, targets.some((a) => priorityOf(a) === 1), (answer) => this.send("shelve", targets, answer));
  }
  title(alarms) {
    const [first] = alarms;
    return alarms.length > 1 ? `${alarms.length} alarms` : `“${first.finding.message}” of ${unitOf(first, this.units).name}`;
  }
  send(action, alarms, more = {}) {
    window.emitEvent("mw_alarm", { do: action, ids: alarms.map((alarm) => alarm.id), note: "", minutes: null, ...more });
    this.marked.clear();
    this.refresh();
  }

  key(event) {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector(".mw-sheet-back")) return;
    if (/^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(at.tagName) && at.type !== "checkbox") return;
    if (event.key === "g") { this.goUntil = performance.now() + 1500; return; }
    if (performance.now() < (this.goUntil ?? 0)) { this.goUntil = 0; return; }
    const page = Math.max(1, Math.floor(this.port.clientHeight / this.rowHeight) - 1);
    const actions = {
      ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), PageDown: () => this.move(page), PageUp: () => this.move(-page),
      Home: () => this.move(-Infinity), End: () => this.move(Infinity),
      a: () => this.acknowledge(), A: () => this.acknowledge(true), s: () => this.shelve(),
      " ": () => this.toggle(this.store.indexOf(this.chosen)),
      Enter: () => { this.detail.isOpen = !this.detail.isOpen; this.refresh(); },
      Escape: () => { this.detail.isOpen = false; this.refresh(); },
    };
    const act = actions[event.key];
    if (!act || (event.key === "a" && !this.targets().some(waits))) return;
    event.preventDefault(); event.stopPropagation();
    act();
  }
}
customElements.define("mw-alarm-table", AlarmTable);
