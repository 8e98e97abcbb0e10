/* The rows of the alarm table: open alarms from the socket, over ones page by page over HTTP.
 *
 * Rows: open alarms first (not acknowledged before acknowledged, worst first, newest first), then
 * a heading, then every time an alarm was raised and is over, newest first. A row that is not
 * loaded yet is `null`; asking for it by `row(index)` loads its page.
 */
const PAGE = 100;
const KEPT_PAGES = 60;         // 6,000 rows of history in memory at most
const RELOAD_MS = 300;         // a flood asks for the whole list again no faster than this
const SETTLE_MS = 400;         // history is asked again so long after the last alarm that ended
const HIDDEN = new Set(["shelved", "suppressed_by_design", "out_of_service"]);

export const priorityOf = (alarm) => alarm.finding.priority ?? 4;
export const isHidden = (alarm) => HIDDEN.has(alarm.state);
export const waits = (alarm) => alarm.state === "unack" || alarm.state === "rtn_unack" ||
  (alarm.state === "latched" && !alarm.acknowledged_at);
const isOver = (alarm) => alarm.state === "normal" && !alarm.chattering;

/* What each choice of the state filter shows. */
export const VIEWS = {
  all: { words: "All", open: () => true, history: true },
  unack: { words: "Not acknowledged", open: waits, history: false },
  active: { words: "Active", open: (alarm) => alarm.active && !isHidden(alarm), history: false },
  hidden: { words: "Hidden", open: isHidden, history: false },
  over: { words: "Over", open: () => false, history: true },
};

export class AlarmStore {
  constructor(changed) {
    this.changed = changed;
    this.open = new Map();
    this.filter = { view: "all", priorities: new Set(), equipment: "", text: "" };
    this.rows = [];
    this.places = new Map();     // id -> index in rows
    this.heading = -1;           // index of the heading between open and over
    this.total = null;           // of history; null while not known
    this.pages = new Map();
    this.generation = 0;
    this.isLoaded = false;
    this.reads = new Set();      // of each list on its way: what changed since it was asked for
    this.error = "";
  }

  async start() {
    this.stop = Millwright.live.onAlarms((message) => this.take(message));
    await Promise.all([this.reload(), this.reloadHistory()]);
  }
  end() { this.stop?.(); clearTimeout(this.timer); clearTimeout(this.reloading); }

  async reload() {
    const since = [];
    this.reads.add(since);
    const fetched = await this.get("/api/alarms");
    this.reads.delete(since);
    if (!fetched) return;
    Millwright.calm(() => {
      this.open = new Map(fetched.map((alarm) => [alarm.id, alarm]));
      for (const alarm of since) this.takeOne(alarm);
      this.isLoaded = true;
      this.arrange();
    });
  }
  async get(address) {
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      this.error = "";
      return await answer.json();
    } catch (error) {
      this.error = `Alarms cannot be read: ${error.message}`;
      this.changed();
      return null;
    }
  }

  take(message) {
    if (message.reset) { this.reloadSoon(); return; }
    for (const since of this.reads) since.push(...message.rows);
    Millwright.calm(() => {   // a row that moves under a pressed button would give its place to another alarm
      if (!this.isLoaded) return;
      for (const alarm of message.rows) this.takeOne(alarm);
      if (message.rows.length) this.arrange();
    });
  }
  /* The socket's full list is short and leaves out what chatters: the whole one comes over HTTP. */
  reloadSoon() {
    if (this.reloading) return;
    this.reloading = setTimeout(() => { this.reloading = 0; this.reload(); this.reloadHistorySoon(); }, RELOAD_MS);
  }
  takeOne(alarm) {
    const known = this.open.get(alarm.id);
    if (isOver(alarm)) this.open.delete(alarm.id); else this.open.set(alarm.id, alarm);
    if (isOver(alarm) || (known && known.raised_at !== alarm.raised_at)) this.reloadHistorySoon();
  }

  set(filter) {
    Object.assign(this.filter, filter);
    this.arrange();
    this.reloadHistorySoon(150);
  }
  arrange() {
    const { view, priorities, equipment, text } = this.filter;
    const shown = VIEWS[view], low = text.trim().toLowerCase();
    this.rows = [...this.open.values()].filter((alarm) =>
      shown.open(alarm) &&
      (!priorities.size || priorities.has(priorityOf(alarm))) &&
      (!equipment || `${alarm.finding.equipment}/`.startsWith(`${equipment}/`)) &&
      (!low || `${alarm.finding.message} ${alarm.finding.equipment}`.toLowerCase().includes(low)));
    this.rows.sort((a, b) => (waits(b) - waits(a)) || (isHidden(a) - isHidden(b)) ||
      (priorityOf(a) - priorityOf(b)) || b.raised_at.localeCompare(a.raised_at) || a.id.localeCompare(b.id));
    this.places = new Map(this.rows.map((alarm, index) => [alarm.id, index]));
    this.heading = shown.history && this.total ? this.rows.length : -1;
    this.changed();
  }

  get length() { return this.heading < 0 ? this.rows.length : this.rows.length + 1 + this.total; }
  get opened() { return this.rows.length; }

  /* An alarm, "heading", or null while its page is on its way. */
  row(index) {
    if (index < this.rows.length) return this.rows[index];
    if (index === this.heading) return "heading";
    const place = index - this.heading - 1, page = Math.floor(place / PAGE);
    const loaded = this.pages.get(page);
    if (!loaded) { this.loadPage(page); return null; }
    return loaded === "loading" ? null : loaded[place % PAGE] ?? null;
  }
  /* Over rows are told apart by number: the same alarm may be over many times. */
  keyOf(index) {
    const row = this.row(index);
    if (!row || row === "heading") return null;
    return row.number === undefined ? row.id : `${row.id}:${row.number}`;
  }
  indexOf(key) {
    const open = this.places.get(key);
    if (open !== undefined) return open;
    for (const [page, rows] of this.pages) {
      if (rows === "loading") continue;
      const at = rows.findIndex((row) => `${row.id}:${row.number}` === key);
      if (at >= 0) return this.heading + 1 + page * PAGE + at;
    }
    return -1;
  }

  reloadHistorySoon(waitMs = SETTLE_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reloadHistory(), waitMs);
  }
  async reloadHistory() {
    this.generation += 1;
    if (!VIEWS[this.filter.view].history) { this.total = null; this.arrange(); return; }
    const generation = this.generation, answer = await this.fetchPage(0);
    if (!answer || generation !== this.generation) return;
    this.total = answer.total;
    this.pages = new Map([[0, answer.rows]]);
    this.arrange();
  }
  async loadPage(page) {
    const generation = this.generation;
    this.pages.set(page, "loading");
    const answer = await this.fetchPage(page);
    if (generation !== this.generation) return;
    if (!answer) { setTimeout(() => { if (generation === this.generation) this.pages.delete(page); this.changed(); }, 2000); return; }
    this.pages.set(page, answer.rows);
    if (this.pages.size > KEPT_PAGES) this.pages.delete([...this.pages.keys()].find((other) => Math.abs(other - page) > 2));
    if (answer.total !== this.total) { this.total = answer.total; this.arrange(); } else this.changed();
  }
  async fetchPage(page) {
    const { priorities, equipment, text } = this.filter;
    const query = new URLSearchParams({ state: "normal", limit: PAGE, offset: page * PAGE });
    for (const priority of priorities) query.append("priority", priority);
    if (equipment) query.set("equipment", equipment);
    if (text.trim()) query.set("text", text.trim());
    const answer = await this.get(`/api/alarms/history?${query}`);
    return answer && { total: answer.total, rows: answer.history.map((each) => ({ ...each.alarm, number: each.number, isOver: true })) };
  }
}
