/* Live values as plain DOM: <mw-value>, <mw-bar>, <mw-alarms>. Each is drawn from live.js alone. */
(() => {
  "use strict";
  const { live, alarms } = Millwright;
  const HIDDEN = new Set(["shelved", "suppressed_by_design", "out_of_service"]);
  const GHOST_S = 600, GHOST_BUCKET_S = 10, AGE_SHOWN_S = 3;

  // UCUM codes as operators write them: app/core/units.py
  const UNITS = JSON.parse(document.getElementById("mw-units").textContent);
  const unit = (code) => code === undefined ? "" : UNITS[code] ?? code.replace(/[{}[\]]/g, "");
  const REASONS = { stale: "no new value", comm_lost: "connection lost", config: "check the settings",
    out_of_range: "out of range", forced: "forced by hand", sensor_fault: "sensor fault",
    no_value: "no value yet", unknown_tag: "tag not known", waiting: "waiting for a value" };

  function number(value, decimals) {
    const text = value.toFixed(decimals);
    const [whole, rest] = text.split(".");
    const grouped = Math.abs(value) < 10000 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
    return (rest === undefined ? grouped : grouped + "." + rest).replace("-", "\u2212");
  }
  function words(s) {
    if (s.value === null || s.value === undefined) return "\u2013";
    const state = s.meta?.states?.[Math.round(s.value)];
    return state ?? number(s.value, decimals(s.meta, s.value));
  }
  function decimals(meta, value) {
    if (!meta) return 1;
    if (meta.kind !== "analog") return 0;
    if (meta.low !== meta.high) return meta.decimals;
    const size = Math.abs(value);         // nobody declared it: five digits are enough
    return size >= 1000 ? 0 : size >= 100 ? 1 : meta.decimals;
  }
  const isWord = (s) => s.value !== null && s.meta?.states?.[Math.round(s.value)] !== undefined;
  function ageWords(seconds) {
    if (!Number.isFinite(seconds)) return "";
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} d`;
  }
  function why(s) {
    const bare = s.value === null ? "" : ageWords(live.age(s));
    const reason = REASONS[s.reason] ?? s.reason ?? "";
    return s.quality === "g" ? "" : [reason || "uncertain", bare].filter(Boolean).join(" · ");
  }

  const SHAPES = { 1: "M3 3h18v18H3z", 2: "M12 2 23 21H1z", 3: "M12 1 23 12 12 23 1 12z", 4: "M1 3h22L12 22z" };
  const BASE = { 1: 17, 2: 18.5, 3: 16.5, 4: 13.5 };
  const PRIORITIES = { 1: "critical", 2: "high", 3: "medium", 4: "low" };
  function symbol(priority, isBlinking) {
    return `<svg class="mw-prio mw-p${priority}${isBlinking ? " mw-blink" : ""}" viewBox="0 0 24 24" role="img"` +
      ` aria-label="priority ${priority} ${PRIORITIES[priority]}"><path d="${SHAPES[priority]}"/>` +
      `<text x="12" y="${BASE[priority]}">${priority}</text></svg>`;
  }

  // the same words as in pages/widgets/words.py
  const NO_AGENTS = { limits: "Alarm limits", external: "Another system", system: "Millwright" };
  const isAgent = (name) => !(name in NO_AGENTS);
  function statedBy(name) {
    const said = name.replace(/[_-]/g, " ");
    return NO_AGENTS[name] ?? `${said[0].toUpperCase()}${said.slice(1)} agent`;
  }

  function make(name, classes, parent, text) {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }

  // only what can be seen is asked for
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.target.show(entry.isIntersecting);
  }, { rootMargin: "160px" });

  class LiveElement extends HTMLElement {
    connectedCallback() {
      if (!this.isBuilt) { this.isBuilt = true; this.build(); }
      seen.observe(this);
      this.stopAlarms = live.onAlarms(() => this.alarmed());
    }
    disconnectedCallback() {
      seen.unobserve(this);
      this.stopAlarms?.();
      this.show(false);
    }
    get path() { return this.getAttribute("path"); }
    show(isVisible) {
      if (isVisible && !this.stop) { this.stop = this.start(); ticking.add(this); }
      if (!isVisible && this.stop) { this.stop(); this.stop = null; ticking.delete(this); }
    }
    start() { return live.subscribe(this.path, (s) => this.update(s)); }
    update(s) {
      this.state = s;
      if (this.dataset.q !== s.quality) this.dataset.q = s.quality;
      this.paint(s);
      this.tick();
    }
    alarmed() {
      if (!this.mark) return;
      const watched = this.getAttribute("watch");
      const worst = alarms.worst(watched || this.path), own = watched ? alarms.worst(this.path) : worst;
      const key = worst.count ? `${worst.priority}${worst.unacknowledged > 0}${own.count && own.priority}` : "";
      if (this.mark.dataset.key === key) return;
      this.mark.dataset.key = key;
      this.mark.innerHTML = worst.count ? symbol(worst.priority, worst.unacknowledged > 0) : "";
      this.dataset.prio = own.count ? own.priority : "";    // the pointer is the tag's own
    }
    paint() {}
    tick() {
      if (!this.note || !this.state) return;
      const s = this.state, age = live.age(s);
      put(this.note, s.quality !== "g" ? why(s) : age >= AGE_SHOWN_S || this.hasAge ? ageWords(age) : "");
    }
    head(parent) {
      const href = this.getAttribute("href");
      const label = make(href ? "a" : "span", "mw-label", parent), words = this.getAttribute("label") || this.path.split("/").pop();
      // "P-101" stays on one line
      const name = make("span", "mw-name", label);
      for (const part of words.split(/(\S*-\S*)/)) if (part) name.append(part.includes("-") ? make("span", "mw-whole", null, part) : part);
      if (href) label.href = href;
      if (this.hasAttribute("sub")) make("small", "mw-sub", label, this.getAttribute("sub"));
      label.title = label.textContent;
      return label;
    }
  }
  const ticking = new Set();
  setInterval(() => { for (const element of ticking) element.tick(); }, 1000);

  /* <mw-value path label? href? age?>: number, unit, age; hatched when it cannot be trusted */
  class Value extends LiveElement {
    build() {
      this.hasAge = this.hasAttribute("age");
      if (this.hasAttribute("label")) this.head(this);
      const line = make("span", "mw-reading", this);
      this.mark = make("span", "mw-mark", line);
      this.value = make("b", "mw-num", line, "\u2013");
      this.unit = make("span", "mw-unit", line);
      this.note = make("span", "mw-age", this);
    }
    paint(s) {
      put(this.value, words(s));
      put(this.unit, isWord(s) ? "" : unit(s.meta?.unit));
    }
  }

  /* <mw-bar path label? href? setpoint? vertical?>: pointer over the range, grey band = normal,
     ticks = alarm limits, pale band = where it was in the last ten minutes */
  class Bar extends LiveElement {
    build() {
      this.buckets = [];
      this.head(this);
      this.track = make("span", "mw-track", this);
      this.normal = make("i", "mw-normal", this.track);
      this.ghost = make("i", "mw-ghost", this.track);
      this.carrier = make("i", "mw-carrier", this.track);
      make("i", "mw-pointer", this.carrier);
      this.mark = make("span", "mw-mark", this);
      const line = make("span", "mw-reading", this);
      this.value = make("b", "mw-num", line, "\u2013");
      this.unit = make("span", "mw-unit", line);
      this.note = make("span", "mw-age", this);
    }
    start() {
      const stop = live.subscribe(this.path, (s) => this.update(s));
      live.history(this.path, GHOST_S, 24).then(({ times, values }) => {
        const old = [];
        times.forEach((t, i) => { if (values[i] !== null) old.push([t, values[i], values[i]]); });
        this.buckets = old.concat(this.buckets.filter((b) => !old.length || b[0] > old[old.length - 1][0]));
        if (this.state) this.paint(this.state);
      });
      return stop;
    }
    paint(s) {
      put(this.value, words(s));
      put(this.unit, isWord(s) ? "" : unit(s.meta?.unit));
      if (s.meta && s.meta !== this.meta) this.lay(s.meta);
      if (s.value === null || this.isPlate) { this.carrier.hidden = true; return; }
      this.carrier.hidden = false;
      this.remember(s);
      this.carrier.style.transform = this.isUpright ? `translateY(${-this.at(s.value)}%)` : `translateX(${this.at(s.value)}%)`;
    }
    lay(meta) {
      this.meta = meta;
      this.isUpright = this.hasAttribute("vertical");
      this.isPlate = meta.kind === "state" || meta.kind === "binary" || meta.kind === "counter";
      this.classList.toggle("mw-plate", this.isPlate);
      this.low = meta.low ?? 0; this.high = meta.high ?? 0;
      this.isOpen = !(this.high > this.low);   // range not known: from what was seen
      this.track.querySelectorAll(".mw-limit, .mw-setpoint").forEach((old) => old.remove());
      this.scale();
    }
    scale() {
      const { normal_low: low, normal_high: high, limits = {} } = this.meta;
      this.normal.hidden = low === undefined && high === undefined;
      if (!this.normal.hidden) this.span(this.normal, low ?? this.low, high ?? this.high);
      this.track.querySelectorAll(".mw-limit, .mw-setpoint").forEach((old) => old.remove());
      for (const [name, value] of Object.entries(limits)) {
        if (value === null || value === undefined) continue;
        const tick = make("i", `mw-limit mw-${name.replace("_", "-")}`, this.track);
        tick.title = `${name.replace("_", " ")} ${value}`;
        this.put(tick, value);
      }
      const setpoint = Number.parseFloat(this.getAttribute("setpoint"));
      if (Number.isFinite(setpoint)) this.put(make("i", "mw-setpoint", this.track), setpoint);
    }
    at(value) { return Math.min(100, Math.max(0, 100 * (value - this.low) / (this.high - this.low || 1))); }
    put(node, value) { node.style[this.isUpright ? "bottom" : "left"] = `${this.at(value)}%`; }
    span(node, from, to) {
      this.put(node, from);
      node.style[this.isUpright ? "height" : "width"] = `${Math.max(0.5, this.at(to) - this.at(from))}%`;
    }
    remember(s) {
      const last = this.buckets[this.buckets.length - 1];
      if (last && s.timeMs - last[0] < GHOST_BUCKET_S * 1000) {
        last[1] = Math.min(last[1], s.value); last[2] = Math.max(last[2], s.value);
      } else {
        this.buckets.push([s.timeMs, s.value, s.value]);
      }
      const start = s.timeMs - GHOST_S * 1000;
      while (this.buckets.length > 1 && this.buckets[0][0] < start) this.buckets.shift();
      let low = Infinity, high = -Infinity;
      for (const [, a, b] of this.buckets) { low = Math.min(low, a); high = Math.max(high, b); }
      if (this.isOpen && (low < this.low || high > this.high || this.high === this.low)) {
        const room = (high - low || Math.abs(high) || 1) * 0.25;
        this.low = low - room; this.high = high + room;
        this.scale();
      }
      const key = `${this.at(low).toFixed(1)} ${this.at(high).toFixed(1)}`;
      if (key !== this.ghostKey) { this.ghostKey = key; this.span(this.ghost, low, high); }
    }
  }

  /* <mw-alarms path>: worst priority and number of alarms below a path; "no alarms" in grey */
  class Alarms extends HTMLElement {
    connectedCallback() {     // before the first message nobody knows that there are none
      this.innerHTML = `<i class="mw-bone"></i>`;
      this.stop = live.onAlarms(() => Millwright.calm(() => this.paint()));
    }
    disconnectedCallback() { this.stop?.(); }
    paint() {
      const worst = alarms.worst(this.getAttribute("path"));
      const key = `${worst.priority} ${worst.count} ${worst.unacknowledged} ${worst.isPart}`;
      if (key === this.key) return;
      this.key = key;
      this.innerHTML = worst.count
        ? symbol(worst.priority, worst.unacknowledged > 0) + `<span>${worst.count}${worst.isPart ? "+" : ""} ${worst.count === 1 ? "alarm" : "alarms"}</span>`
        : `<span class="mw-hint">no alarms</span>`;
      this.dataset.prio = worst.count ? worst.priority : "";
      const tile = this.closest(".mw-tile");
      if (tile) tile.dataset.prio = this.dataset.prio;
    }
  }

  /* <mw-agents>: the agents in one line; trouble by name, with its reason */
  class Agents extends HTMLElement {
    connectedCallback() { this.stop = live.onStatus((status) => Millwright.calm(() => this.paint(status.agents))); }
    disconnectedCallback() { this.stop?.(); }
    paint({ rows = [] }) {
      this.replaceChildren();
      for (const [name, state, reason] of rows) {
        const isWell = state === "running", link = make("a", "mw-row", this);
        link.href = "/agents"; link.title = reason || `${name} is ${state.replace("_", " ")}`;
        make("i", isWell ? "mw-dot" : state === "stopped" ? "mw-dot mw-off" : "mw-dot mw-wrong", link);
        const says = reason || state.replace("_", " ");
        make("span", "", link, isWell ? name : says.startsWith(name) ? says : `${name}: ${says}`);
      }
    }
  }
  customElements.define("mw-agents", Agents);

  /* <mw-worst count="8">: the worst open alarms, newest first among equals */
  class Worst extends HTMLElement {
    connectedCallback() {
      this.stop = live.onAlarms(() => Millwright.calm(() => this.paint()));
      this.sized = new ResizeObserver(() => this.fit());
      this.sized.observe(this);
    }
    disconnectedCallback() { this.stop?.(); this.sized.disconnect(); }
    fit() {     // the rows that wrapped out of sight cannot be reached by key either
      const left = this.firstElementChild?.offsetLeft;
      for (const row of this.children) row.inert = row.offsetLeft > left;
    }
    paint() {
      const open = (a) => a.state === "unack" || a.state === "rtn_unack";
      const rows = alarms.all().filter((a) => !HIDDEN.has(a.state)).sort((a, b) => (open(b) - open(a)) || (a.finding.priority - b.finding.priority) || (a.raised_at < b.raised_at ? 1 : -1));
      const shown = rows.slice(0, Number(this.getAttribute("count")) || 8);
      const key = JSON.stringify(shown.map((a) => [a.id, a.state, a.raised_at, a.finding.message, a.finding.response]));
      if (key === this.key) return;
      this.key = key;
      const focused = this.contains(document.activeElement) ? document.activeElement.dataset.alarmId : "";
      this.replaceChildren();
      for (const alarm of shown) {
        const row = make("a", "mw-alarm", this);
        row.href = `/alarms#${alarm.id}`; row.dataset.alarmId = alarm.id;
        row.insertAdjacentHTML("beforeend", symbol(alarm.finding.priority || 4, open(alarm)));
        make("b", "", row, alarms.sentence(alarm.finding.equipment, alarm.finding.message || alarm.finding.condition.replaceAll("_", " ")));
        make("time", "mw-hint", row, Millwright.clock(Date.parse(alarm.raised_at)).slice(0, 5));
        make("span", "", row);
        make("span", "mw-hint", row, alarm.finding.response || (open(alarm) ? "not acknowledged" : "acknowledged"));
      }
      if (!rows.length) make("p", "mw-hint", this, "No alarms");
      this.fit();
      if (focused) this.querySelector(`[data-alarm-id="${focused}"]`)?.focus();   // a key goes on where it was
    }
  }
  customElements.define("mw-worst", Worst);

  Object.assign(Millwright, { LiveElement, make, put, symbol, unit, number, words, isWord, ageWords, why, statedBy, isAgent });
  customElements.define("mw-value", Value);
  customElements.define("mw-bar", Bar);
  customElements.define("mw-alarms", Alarms);
})();
