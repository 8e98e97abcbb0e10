/* <mw-trends>: the trends page. Holds the state, fetches histories, keeps live pens moving. */
(() => {
  "use strict";
  const { live, make, put, number, symbol, zone, trendState, trendHistory, trendReading } = Millwright;
  const COLOURS = ["--trace", "--trace-2", "--trace-3", "--trace-4", "--trace-5", "--trace-6", "--trace", "--trace-2"];
  const DASHES = [[], [], [], [], [], [], [8, 4], [8, 4]];
  const KEYS = { ArrowLeft: ["pan", -0.2], ArrowRight: ["pan", 0.2], "+": ["zoom", 0.6], "=": ["zoom", 0.6], "-": ["zoom", 1 / 0.6], PageUp: ["pan", -1], PageDown: ["pan", 1] };
  const RELOAD_MIN_MS = 15000;

  function loadScript() {
    const base = "/static/millwright/uplot/";
    const style = document.createElement("link");
    Object.assign(style, { rel: "stylesheet", href: `${base}uPlot.min.css` });
    const script = document.createElement("script");
    const loaded = new Promise((resolve, reject) => { script.onload = resolve; script.onerror = () => reject(new Error("the chart library is missing")); });
    script.src = `${base}uPlot.iife.js`;
    document.head.append(style, script);
    return window.uPlot ? Promise.resolve() : loaded;
  }

  class Trends extends HTMLElement {
    connectedCallback() {
      this.state = trendState.read(location.search);
      this.pens = new Map();      // path -> {trace, old, stop}
      this.marks = [];
      this.build();
      onpopstate = () => { this.state = trendState.read(location.search); this.apply(); };
      this.addEventListener("keydown", (event) => this.key(event));
      this.timer = setInterval(() => this.tick(), 1000);
      Promise.all([loadScript(), this.picker.load()]).then(() => { this.isReady = true; this.apply(); }, (error) => this.fail(error));
    }
    disconnectedCallback() {
      clearInterval(this.timer);
      this.request?.abort();
      for (const pen of this.pens.values()) pen.stop();
      this.plot.clear();
    }
    build() {
      const side = make("section", "mw-card mw-trend-side", this);
      side.setAttribute("aria-label", "Pens");
      this.legend = make("div", "mw-trend-pens", side);
      this.picker = new Millwright.TrendPicker(make("div", "mw-trend-picker", side), {
        onPick: (tag) => this.toggle(tag.path), isChosen: (path) => this.state.tags.includes(path) });
      const main = make("section", "mw-card mw-trend-main", this);
      this.tools = new Millwright.TrendTools(make("div", "mw-trend-bar", main), {
        onState: (change) => this.change(change), onZoom: (factor) => this.plot.zoom(factor),
        onPan: (share) => this.plot.pan(share), onMoving: (flag) => { this.plot.isMoving = flag; this.classList.toggle("mw-moving", flag); } });
      this.note = make("div", "mw-trend-line", main);
      this.cursorText = make("span", "mw-num", this.note);
      this.message = make("span", "mw-hint", this.note);
      this.retry = make("button", "mw-chip", this.note, "Try again");
      Object.assign(this.retry, { type: "button", hidden: true, onclick: () => this.load() });
      this.box = make("div", "mw-trend-plot", main);
      this.box.tabIndex = 0;
      this.box.setAttribute("role", "img");
      this.empty = make("div", "mw-trend-empty", main);
      this.empty.hidden = new URLSearchParams(location.search).has("tags");
      make("h2", "", this.empty, "No pen yet");
      make("p", "mw-hint", this.empty, "Choose up to eight tags beside: type what you look for, or open a unit. The address of this page keeps what you chose, so it can be sent to a colleague.");
      this.markList = make("div", "mw-trend-marks", main);
      make("p", "mw-hint mw-trend-help", main, "Drag: zoom · Shift and drag: move · wheel: zoom · double click: zoom out · ← → move · + − zoom · , . cursor · L live");
      this.plot = new Millwright.TrendPlot(this.box, { onRange: (from, to, isFinal) => this.ranged(from, to, isFinal), onCursor: (ms) => this.read(ms) });
    }

    // --- state
    change(change, isQuiet = false) {
      Object.assign(this.state, change);
      const address = trendState.write(this.state);
      if (isQuiet) history.replaceState(null, "", address); else history.pushState(null, "", address);
      this.apply();
    }
    toggle(path) {
      const { tags } = this.state, place = tags.indexOf(path);
      if (place < 0 && tags.length >= trendState.MAX_PENS) { put(this.message, "Eight pens are the limit; remove one first"); return; }
      const hidden = [...this.state.hidden].filter((i) => i !== place).map((i) => (place >= 0 && i > place ? i - 1 : i));
      this.change({ tags: place < 0 ? [...tags, path] : tags.filter((each) => each !== path), hidden: new Set(hidden) });
    }
    ranged(from, to, isFinal) {
      const next = trendState.clamp(from, to);
      if (isFinal) this.change({ live: false, ...next }); else Object.assign(this.state, { live: false, ...next });
    }
    apply() {
      if (!this.isReady) return;
      this.tools.show(this.state);
      this.empty.hidden = this.state.tags.length > 0;
      this.box.hidden = this.note.hidden = !this.state.tags.length;
      this.follow();
      this.paintLegend();
      this.picker.refresh();
      this.load();
    }
    // Subscribe what is chosen, forget what is not.
    follow() {
      for (const [path, pen] of this.pens) {
        if (!this.state.tags.includes(path)) { pen.stop(); this.pens.delete(path); }
      }
      for (const path of this.state.tags) {
        if (this.pens.has(path)) continue;
        const pen = { trace: null, old: null };
        this.pens.set(path, pen);
        pen.stop = live.subscribe(path, () => {}, (s) => this.take(pen, s));
      }
    }
    take(pen, s) {
      if (!this.state.live || !pen.trace || !s.timeMs) return;
      const quality = { g: "good", u: "uncertain", b: "bad" }[s.quality];
      trendHistory.append(pen.trace, s.timeMs / 1000, quality === "bad" ? null : s.value, quality, trendState.range(this.state).from / 1000);
    }

    // --- data
    async load() {
      this.request?.abort();
      const { tags, compareS } = this.state;
      if (!tags.length) { this.plot.clear(); this.marks = []; this.paintMarks(); return; }
      const { signal } = this.request = new AbortController();
      const { from, to } = this.loaded = trendState.range(this.state);
      this.loadedAt = performance.now();
      this.classList.add("mw-loading");
      const get = (path, shift) => trendHistory.trace(path, from, to, shift, this.box.clientWidth, signal)
        .catch((error) => { if (error.status === 404) return null; throw error; });
      try {
        const traces = await Promise.all(tags.map((path) => Promise.all([get(path, 0), compareS ? get(path, compareS * 1000) : null])));
        tags.forEach((path, i) => Object.assign(this.pens.get(path) ?? {}, { trace: traces[i][0], old: traces[i][1] }));
        this.marks = await this.alarms(tags, from, to, signal);
        this.fail(null);
      } catch (error) {
        if (error.name === "AbortError") return;
        this.fail(error);
      }
      this.classList.remove("mw-loading");
      this.draw();
      this.paintMarks();
    }
    async alarms(tags, from, to, signal) {
      const units = [...new Set(tags.map((path) => path.split("/").slice(0, -1).join("/")))];
      const pages = await Promise.all(units.map((equipment) => trendHistory.get("/api/alarms/history",
        { equipment, start: trendHistory.iso(from), end: trendHistory.iso(to), limit: 100 }, signal)));
      return pages.flatMap((page) => page.history)
        .map(({ alarm }) => ({ at: Date.parse(alarm.raised_at), priority: alarm.finding.priority ?? 4, words: alarm.finding.message || alarm.finding.condition, id: alarm.id, equipment: alarm.finding.equipment }))
        .sort((a, b) => a.at - b.at);
    }
    fail(error) {
      put(this.message, error ? `The history cannot be read: ${error.message}` : this.missing());
      this.retry.hidden = !error;
    }
    missing() {
      const unknown = this.state.tags.filter((path) => this.pens.get(path) && !this.pens.get(path).trace && this.loaded);
      if (unknown.length) return `Not known: ${unknown.join(", ")}`;
      const isEmpty = this.state.tags.every((path) => !this.pens.get(path)?.trace?.values.some((value) => value !== null));
      return isEmpty && this.state.tags.length ? "No values in this range; the historian keeps what was received while the app ran" : "";
    }
    shown() {
      return this.state.tags.map((path, i) => ({ path, i, pen: this.pens.get(path), tag: this.picker.tag(path) }))
        .filter(({ pen }) => pen?.trace)
        .map(({ path, i, pen, tag }) => ({ path, tag, unit: tag?.unit ?? "1", stroke: COLOURS[i], dash: DASHES[i], isHidden: this.state.hidden.has(i),
          isStepped: tag?.kind === "state" || tag?.kind === "binary", trace: pen.trace, old: pen.old }));
    }
    draw() {
      const pens = this.shown(), range = trendState.range(this.state);
      const isInside = this.cursorMs >= range.from && this.cursorMs <= range.to;
      this.read(isInside ? this.cursorMs : null);
      if (!pens.length || !this.box.clientWidth) { this.plot.clear(); return; }
      this.box.setAttribute("aria-label", `${pens.map((pen) => this.picker.title(pen.path)).join(", ")} from ${zone.stamp(range.from)} to ${zone.stamp(range.to)}`);
      this.plot.show({ pens, band: this.state.band, marks: this.marks, ...range });
    }
    tick() {
      if (!this.isReady || !this.state.live || !this.state.tags.length || document.hidden) return;
      const stepMs = Math.max(1000, this.state.spanS * 1000 / Math.max(this.box.clientWidth, 200));
      if (performance.now() - (this.drawnAt ?? 0) < stepMs - 100) return;
      this.drawnAt = performance.now();
      // thinned points grow too many, and late readings arrive: look again now and then
      if (performance.now() - this.loadedAt > Math.max(RELOAD_MIN_MS, this.state.spanS * 10)) { this.load(); return; }
      this.draw();
      this.tools.show(this.state);
    }

    // --- legend and cursor
    paintLegend() {
      this.legend.replaceChildren();
      this.rows = this.state.tags.map((path, i) => this.penRow(path, i));
    }
    penRow(path, i) {
      const tag = this.picker.tag(path), row = make("div", "mw-trend-pen", this.legend);
      const isHidden = this.state.hidden.has(i);
      const show = make("button", "mw-trend-show", row);
      show.type = "button"; show.title = isHidden ? "Show" : "Hide";
      show.setAttribute("aria-pressed", String(!isHidden));
      show.innerHTML = `<svg viewBox="0 0 22 8" aria-hidden="true"><line x1="0" y1="4" x2="22" y2="4" style="stroke:var(${COLOURS[i]})" stroke-dasharray="${DASHES[i].join(" ")}"/></svg>`;
      show.setAttribute("aria-label", `${show.title} ${this.picker.title(path)}`);
      show.onclick = () => { const hidden = new Set(this.state.hidden); if (!hidden.delete(i)) hidden.add(i); this.change({ hidden }, true); };
      const words = make("a", "mw-trend-words", row);
      words.href = `/units/${path.split("/").slice(0, 4).join("/")}`; words.title = path;
      make("span", "", words, this.picker.title(path));
      make("span", "mw-hint", words, tag?.unitName ?? path);
      const value = make("span", "mw-trend-value", row);
      const made = { path, now: make("b", "mw-num", value, "–"), unit: make("span", "mw-unit", value, Millwright.unit(tag?.unit ?? "1")), more: make("span", "mw-hint mw-trend-more"), row };
      const drop = make("button", "mw-chip", row, "×");
      Object.assign(drop, { type: "button", title: "Remove this pen", onclick: () => this.toggle(path) });
      drop.setAttribute("aria-label", `Remove ${this.picker.title(path)}`);
      row.append(made.more);
      row.classList.toggle("mw-off", isHidden);
      return made;
    }
    read(ms) {
      this.cursorMs = ms;
      const at = ms ?? trendState.range(this.state).to;
      put(this.cursorText, ms ? zone.stamp(ms) : "");
      for (const row of this.rows ?? []) this.readPen(row, at);
    }
    readPen(row, ms) {
      const pen = this.pens.get(row.path), tag = this.picker.tag(row.path);
      const present = this.state.live && !this.cursorMs ? live.state(row.path) : null;
      if (present?.at) {       // the value of now, with its age when it is old
        put(row.now, Millwright.words(present));
        put(row.more, Millwright.why(present));
        row.row.dataset.q = present.quality === "g" ? "good" : "uncertain";
        return;
      }
      const found = pen?.trace && trendReading(pen.trace, ms), before = pen?.old && trendReading(pen.old, ms);
      const words = (value) => value === null || value === undefined ? "–" : tag?.states?.[Math.round(value)] ?? number(value, tag?.decimals ?? 1);
      put(row.now, found ? words(found.value) : "–");
      row.row.dataset.q = found ? found.quality : "good";
      const more = [];
      if (found && found.quality !== "good") more.push(found.quality);
      if (found && found.low !== found.high && found.low !== null) more.push(`${words(found.low)} to ${words(found.high)}`);
      if (before) more.push(`before ${words(before.value)}`);
      put(row.more, more.join(" · "));
    }
    paintMarks() {
      this.markList.replaceChildren();
      for (const mark of this.marks.slice(-6)) {
        const line = make("a", "mw-trend-mark", this.markList);
        line.href = `/alarms#${mark.id}`;
        line.innerHTML = symbol(mark.priority, false);
        make("time", "mw-num", line, zone.stamp(mark.at));
        make("span", "", line, mark.words);
        line.onmouseenter = line.onfocus = () => this.plot.point(mark.at);
      }
      if (this.marks.length > 6) make("a", "mw-hint", this.markList, `${this.marks.length - 6} earlier alarms in this range`).href = "/alarms";
    }

    // --- keyboard, while the chart has the focus
    key(event) {
      if (event.target !== this.box || event.ctrlKey || event.metaKey || event.altKey) return;
      const known = KEYS[event.key];
      if (known) this.plot[known[0]](known[1]);
      else if (event.key === "l" || event.key === "L") this.change({ live: true });
      else if (event.key === "," || event.key === ".") this.step(event.key === "." ? 1 : -1);
      else if (event.key === "Escape") this.read(null);
      else return;
      event.preventDefault(); event.stopPropagation();
    }
    step(direction) {
      const { from, to } = trendState.range(this.state), at = this.cursorMs ?? (from + to) / 2;
      this.plot.point(Math.min(to, Math.max(from, at + direction * (to - from) / 200)));
    }
  }
  customElements.define("mw-trends", Trends);
})();
