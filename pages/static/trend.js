/* <mw-trend paths='[…]' labels='[…]' window="900" height="280" marks='[{t, label, priority}]' compare="0">
 *
 * Live until someone looks back: drag = zoom, shift+drag = pan, wheel = zoom at the pointer, double
 * click or "Live" = back. Pens of one unit share an axis; bad values are gaps. `compare` draws the
 * same pens dashed, that many seconds earlier. Ranges beyond the server's memory come over HTTP.
 */
(() => {
  "use strict";
  const { ask, live, alarms, LiveElement, make, put, number, words, unit } = Millwright;
  const FETCH_MS = 30000, MISSED = 0.1, MEMORY_S = 900, POINTS = 900, MOST_PENS = 6, PENS = ["--trace", "--trace-2", "--trace-3", "--trace-4", "--trace-5", "--trace-6"];
  const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
  const WINDOWS = [[300, "5 min"], [900, "15 min"], [3600, "1 h"], [28800, "8 h"], [86400, "24 h"]];

  let uplot = null;
  function load() {
    uplot ??= new Promise((resolve, reject) => {
      const base = "/static/millwright/uplot/";
      const style = document.createElement("link");
      style.rel = "stylesheet"; style.href = base + "uPlot.min.css";
      const script = document.createElement("script");
      script.src = base + "uPlot.iife.js"; script.onload = () => resolve(window.uPlot); script.onerror = reject;
      document.head.append(style, script);
    });
    return uplot;
  }

  async function fetchHistory(path, fromMs, toMs, points) {
    const query = new URLSearchParams({ start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString(), points });
    const answer = await ask(`/api/tags/${path}/history?${query}`, { signal: AbortSignal.timeout(FETCH_MS) });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? `the server answered ${answer.status}`);
    const { points: rows } = await answer.json();
    return { times: rows.map((r) => Date.parse(r.t)), values: rows.map((r) => r.q === "bad" ? null : r.v) };
  }

  const newPen = (path, label) => ({ path, label: label ?? path.split("/").pop(), points: [], old: [], isHidden: false });

  class Trend extends LiveElement {
    build() {
      const read = (name, otherwise) => { try { return JSON.parse(this.getAttribute(name)) ?? otherwise; } catch { return otherwise; } };
      const labels = read("labels", []);
      this.choices = read("choices", []);
      this.pens = read("paths", []).map((path, i) => newPen(path, labels[i]));
      this.marks = read("marks", []);
      this.windowS = Number(this.getAttribute("window")) || 900;
      this.compareS = Number(this.getAttribute("compare")) || 0;
      this.range = null;          // [from, to] ms while looking back
      this.legend = make("div", "mw-legend", this);
      this.tools = make("div", "mw-trend-tools", this);
      this.plotBox = make("div", "mw-plot", this);
      this.plotBox.style.height = `${Number(this.getAttribute("height")) || 240}px`;
      this.message = make("div", "mw-trend-note mw-hint", this, "Loading history…");
      for (const [seconds, text] of WINDOWS) {
        const button = make("button", "mw-chip", this.tools, text);
        button.type = "button"; button.dataset.window = seconds;
        button.onclick = () => this.look(seconds);
      }
      this.backButton = make("button", "mw-chip mw-back", this.tools, "Back to live");
      this.backButton.type = "button"; this.backButton.onclick = () => this.look(this.windowS);
      if (this.hasAttribute("plain")) this.tools.hidden = true;
      if (this.choices.length) this.choiceBox = make("div", "mw-choices", this);
      this.fillLegend();
      new ResizeObserver(() => this.resize()).observe(this.plotBox);
      addEventListener("mw-theme", () => { if (this.plot) { this.plot.destroy(); this.plot = null; this.draw(true); } });
    }
    fillLegend() {
      this.fit();
      this.legend.replaceChildren();
      this.pens.forEach((pen, i) => this.addLegend(pen, i));
      if (!this.choiceBox) return;
      this.choiceBox.replaceChildren();
      for (const [path, label] of this.choices) {
        const chip = make("button", "mw-chip", this.choiceBox, label);
        chip.type = "button"; chip.ariaPressed = String(this.pens.some((pen) => pen.path === path));
        chip.onclick = () => this.choose(path, label);
      }
    }
    choose(path, label) {
      const without = this.pens.filter((pen) => pen.path !== path);
      const next = without.length < this.pens.length ? without : [...this.pens, newPen(path, label)].slice(-MOST_PENS);
      if (!next.length) return;
      this.setPens(next.map((pen) => pen.path), next.map((pen) => pen.label));
    }
    /* Draws these tags instead; pages may call it. */
    setPens(paths, names = []) {
      this.show(false);
      this.plot?.destroy(); this.plot = null;
      this.pens = paths.map((path, i) => newPen(path, names[i]));
      this.fillLegend();
      this.show(true);
    }
    addLegend(pen, i) {
      pen.button = make("button", "mw-pen", this.legend);
      pen.button.type = "button"; pen.button.title = "Show or hide";
      pen.button.innerHTML = `<svg viewBox="0 0 22 8"><line x1="0" y1="4" x2="22" y2="4" style="stroke:var(${PENS[i % 6]})" stroke-dasharray="${DASHES[i % 6].join(" ")}"/></svg>`;
      make("span", "", pen.button, pen.label).title = pen.label;
      pen.number = make("b", "mw-num", pen.button, "\u2013");
      pen.unit = make("span", "mw-unit", pen.button);
      pen.button.onclick = () => {
        pen.isHidden = !pen.isHidden;
        pen.button.classList.toggle("mw-off", pen.isHidden);
        this.plot?.setSeries(i + 1, { show: !pen.isHidden });
      };
    }
    get path() { return this.pens[0]?.path ?? ""; }
    start() {
      const stops = this.pens.map((pen) => live.subscribe(pen.path, (s) => this.penned(pen, s), (s) => this.take(pen, s)));
      load().then(() => this.look(this.windowS), () => put(this.message, "The chart could not be loaded; reload the page"));
      return () => stops.forEach((stop) => stop());
    }
    alarmed() { this.draw(); }
    penned(pen, s) {
      put(pen.number, words(s)); put(pen.unit, unit(s.meta?.unit));
      pen.button.dataset.q = s.quality;
      if (pen.meta !== s.meta) { pen.meta = s.meta; this.plot?.destroy(); this.plot = null; }
      this.draw();
    }
    take(pen, s) { pen.points.push([s.timeMs, s.quality === "b" ? null : s.value]); }

    async look(windowS, range = null) {
      this.windowS = windowS; this.range = range;
      this.classList.toggle("mw-paused", !!range);
      for (const chip of this.tools.querySelectorAll("[data-window]")) {
        chip.setAttribute("aria-pressed", String(!range && Number(chip.dataset.window) === windowS));
      }
      const request = this.request = {};
      const to = range ? range[1] : live.now(), from = range ? range[0] : to - windowS * 1000;
      const isRecent = from >= live.now() - MEMORY_S * 1000 - 5000;
      const get = async (pen, shift) => {
        const recent = isRecent && !shift ? await live.history(pen.path, Math.max(1, Math.round((live.now() - from) / 1000)), POINTS) : null;
        // a server that has just been started remembers little; the stored history has the rest
        const isWhole = recent?.times.length && recent.times[0] - from < (to - from) * MISSED;
        return isWhole ? recent : fetchHistory(pen.path, from - shift, to - shift, POINTS);
      };
      const load = async (pen, shift) => {
        const got = await get(pen, shift);
        if (request !== this.request) return;
        if (shift) { pen.old = got.times.map((t, i) => [t + shift, got.values[i]]); return; }
        const last = got.times.length ? got.times[got.times.length - 1] : 0;
        pen.points = got.times.map((t, i) => [t, got.values[i]]).concat(pen.points.filter((p) => p[0] > last));
      };
      const shifts = this.compareS ? [0, this.compareS * 1000] : [0];
      for (const shift of shifts) {
        const results = await Promise.allSettled(this.pens.map((pen) => load(pen, shift)));
        if (request !== this.request) return;
        this.isLoaded = true;
        this.draw(true);
        const failed = results.find((result) => result.status === "rejected");
        this.failure = failed ? `The history cannot be read: ${failed.reason.message}. New values are drawn; choose a time above to try again.` : "";
        if (failed) put(this.message, this.failure);
      }
    }

    data() {
      const from = (this.range ? this.range[0] : live.now() - this.windowS * 1000) - 2000;
      const tables = [];
      const add = (points) => { tables.push([points.map((p) => p[0] / 1000), points.map((p) => p[1])]); };
      for (const pen of this.pens) {
        if (!this.range) { let n = 0; while (n < pen.points.length && pen.points[n][0] < from) n++; if (n) pen.points.splice(0, n); }
        add(pen.points);
      }
      if (this.compareS) for (const pen of this.pens) add(pen.old);
      return uPlot.join(tables, tables.map(() => [0, 1]));
    }
    draw(isForced = false) {
      if (!this.isLoaded || !window.uPlot || !this.plotBox.clientWidth) return;
      const stepMs = Math.min(10000, Math.max(900, this.windowS * 1000 / this.plotBox.clientWidth));
      if (!isForced && this.plot && performance.now() - this.drawnAt < stepMs) return;
      this.drawnAt = performance.now();
      const isEmpty = this.pens.every((pen) => !pen.points.some((p) => p[1] !== null));
      put(this.message, this.failure || (isEmpty ? "No values in this time" : ""));
      if (!this.plot) this.plot = new uPlot(this.options(), this.data(), this.plotBox);
      else this.plot.setData(this.data(), false);
      const to = this.range ? this.range[1] : live.now(), from = this.range ? this.range[0] : to - this.windowS * 1000;
      this.plot.setScale("x", { min: from / 1000, max: to / 1000 });
    }
    fit() { this.classList.toggle("mw-many", this.pens.length > 2 && this.clientWidth < 900); }
    resize() {
      this.fit();
      if (this.plot) this.plot.setSize({ width: this.plotBox.clientWidth, height: this.plotBox.clientHeight });
      else this.draw(true);
    }

    options() {
      const style = getComputedStyle(this), colour = (name) => style.getPropertyValue(name).trim();
      const font = `12px ${colour("--font")}`, units = [...new Set(this.pens.map((pen) => pen.meta?.unit ?? "1"))];
      const axis = { stroke: colour("--ink-3"), font, grid: { stroke: colour("--track"), width: 1 }, ticks: { stroke: colour("--line"), width: 1, size: 4 } };
      const zone = document.getElementById("mw-clock")?.dataset.zone;
      const scales = { x: { time: true } };
      units.forEach((code) => { scales[code] = { range: (u, low, high) => this.room(code, low, high) }; });
      const pen = (p, i, isOld) => ({ scale: p.meta?.unit ?? "1", stroke: colour(PENS[i % 6]), width: isOld ? 1 : 1.5,
        dash: isOld ? [2, 4] : DASHES[i % 6], alpha: isOld ? 0.7 : 1, show: !p.isHidden, points: { show: false }, spanGaps: false });
      return {
        width: this.plotBox.clientWidth, height: this.plotBox.clientHeight, legend: { show: false }, scales, padding: [20, units.length > 1 ? 0 : 12, 0, 0],
        tzDate: (ts) => zone ? uPlot.tzDate(new Date(ts * 1e3), zone) : new Date(ts * 1e3),
        axes: [{ ...axis, size: 32, space: 90, values: (u, splits, a, b, step) => splits.map((t) => clock(t, step, zone)) },
          ...units.slice(0, 2).map((code, i) => ({ ...axis, scale: code, side: i ? 1 : 3, size: 58,
            grid: { ...axis.grid, show: !i }, values: (u, splits) => splits.map((v) => number(v, digits(splits))) }))],
        series: [{}, ...this.pens.map((p, i) => pen(p, i, false)), ...(this.compareS ? this.pens.map((p, i) => pen(p, i, true)) : [])],
        cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6, fill: colour("--pointer") }, focus: { prox: 24 } },
        hooks: {
          drawAxes: [(u) => this.drawLimits(u, colour)],
          draw: [(u) => this.drawMarks(u, colour, font)],
          setCursor: [(u) => this.read(u)],
          setSelect: [(u) => this.zoomTo(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"))],
          ready: [(u) => this.handle(u)],
        },
      };
    }
    room(code, low, high) {
      if (low === null || high === null) return this.whole(code);
      let least = Math.abs(high) * 0.02 || 1;
      for (const pen of this.pens) {
        const m = pen.meta;
        if (m && m.unit === code && m.normal_high !== undefined && m.normal_low !== undefined) least = Math.max(least, (m.normal_high - m.normal_low) / 4);
      }
      const span = Math.max(high - low, least) * 1.15, middle = (low + high) / 2;
      return [middle - span / 2, middle + span / 2];
    }
    whole(code) {       // nothing to draw yet: the range that the tags say they have
      const known = this.pens.map((pen) => pen.meta).filter((m) => m && m.unit === code && m.high > m.low);
      return known.length ? [Math.min(...known.map((m) => m.low)), Math.max(...known.map((m) => m.high))] : [0, 1];
    }
    drawLimits(u, colour) {
      const meta = this.pens.length === 1 ? this.pens[0].meta : null;
      if (!meta) return;
      const pen = u.ctx, { left, top, width, height } = u.bbox, at = (v) => Math.min(top + height, Math.max(top, u.valToPos(v, meta.unit, true)));
      pen.save();
      if (meta.normal_low !== undefined && meta.normal_high !== undefined) {
        pen.fillStyle = colour("--track"); pen.globalAlpha = 0.55;
        pen.fillRect(left, at(meta.normal_high), width, at(meta.normal_low) - at(meta.normal_high));
        pen.globalAlpha = 1;
      }
      pen.strokeStyle = colour("--ink-3"); pen.setLineDash([6, 4]);
      for (const value of Object.values(meta.limits ?? {})) {
        const y = u.valToPos(value, meta.unit, true);
        if (value === null || y < top || y > top + height) continue;
        pen.beginPath(); pen.moveTo(left, y); pen.lineTo(left + width, y); pen.stroke();
      }
      pen.restore();
    }
    drawMarks(u, colour, font) {
      const pen = u.ctx, { left, top, width, height } = u.bbox, ratio = devicePixelRatio || 1;
      const own = alarms.all().filter((a) => this.pens.some((p) => p.path === a.finding.equipment || p.path.startsWith(a.finding.equipment + "/")))
        .map((a) => ({ t: Date.parse(a.raised_at), label: a.finding.message, priority: a.finding.priority }));
      pen.save();
      pen.font = font.replace("12px", `${11 * ratio}px`);
      pen.fillStyle = colour("--ink-3");
      [...new Set(this.pens.map((p) => p.meta?.unit ?? "1"))].slice(0, 2).forEach((code, i) => {
        pen.textAlign = i ? "left" : "right";
        pen.fillText(unit(code), i ? left + width + 9 * ratio : left - 9 * ratio, top - 8 * ratio);
      });
      for (const mark of [...this.marks, ...own]) {
        const x = u.valToPos(mark.t / 1000, "x", true);
        if (x < left || x > left + width) continue;
        const shade = mark.priority ? colour(`--p${mark.priority}`) : colour("--ink-3");
        pen.strokeStyle = pen.fillStyle = shade; pen.lineWidth = ratio;
        pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, top + height); pen.stroke();
        pen.beginPath(); pen.moveTo(x - 5 * ratio, top); pen.lineTo(x + 5 * ratio, top); pen.lineTo(x, top + 8 * ratio); pen.fill();
      }
      pen.restore();
    }
    read(u) {
      const at = u.cursor.idx;
      const isReading = at !== null && at !== undefined && u.cursor.left >= 0;
      this.pens.forEach((pen, i) => {
        if (!isReading) { const s = live.state(pen.path); if (s) put(pen.number, words(s)); return; }
        let index = at;
        while (index > 0 && u.data[i + 1][index] === undefined) index--;
        const v = u.data[i + 1][index];
        put(pen.number, v === null || v === undefined ? "\u2013" : number(v, pen.meta?.decimals ?? 1));
      });
      if (this.isEmptyNote !== isReading) this.isEmptyNote = isReading;
      if (isReading) put(this.message, clock(u.data[0][at], 0.5, document.getElementById("mw-clock")?.dataset.zone));
      else if (this.message.textContent.includes(":")) put(this.message, this.failure || "");
    }
    zoomTo(fromS, toS) {
      if (!(toS - fromS > 2)) return;
      this.plot?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      this.look(this.windowS, [fromS * 1000, toS * 1000]);
    }
    handle(u) {
      let panFrom = null;
      u.over.addEventListener("mousedown", (event) => {
        if (!event.shiftKey) return;
        event.stopImmediatePropagation(); event.preventDefault();
        panFrom = { x: event.clientX, min: u.scales.x.min, max: u.scales.x.max };
      }, true);
      const move = (event) => {
        if (!panFrom || !u.root.isConnected) return;
        const shift = (panFrom.max - panFrom.min) * (panFrom.x - event.clientX) / u.over.clientWidth;
        panFrom.last = [panFrom.min + shift, panFrom.max + shift];
        u.setScale("x", { min: panFrom.last[0], max: panFrom.last[1] });
      };
      const end = () => { const last = panFrom?.last; panFrom = null; if (last && u.root.isConnected) this.zoomTo(...last); };
      addEventListener("mousemove", move); addEventListener("mouseup", end);
      u.hooks.destroy = [...(u.hooks.destroy ?? []), () => { removeEventListener("mousemove", move); removeEventListener("mouseup", end); }];
      u.over.addEventListener("wheel", (event) => {
        event.preventDefault();
        const { min, max } = u.scales.x, at = u.posToVal(event.offsetX, "x"), factor = event.deltaY > 0 ? 1.3 : 1 / 1.3;
        const next = [at - (at - min) * factor, at + (max - at) * factor];
        u.setScale("x", { min: next[0], max: next[1] });
        clearTimeout(this.wheelTimer);
        this.wheelTimer = setTimeout(() => this.zoomTo(...next), 250);
      }, { passive: false });
      u.over.addEventListener("dblclick", () => this.look(this.windowS));
    }
    tick() { if (this.pens.some((pen) => live.state(pen.path)?.quality !== "g")) this.draw(); }
  }
  function digits(splits) {
    const step = Math.abs(splits[1] - splits[0]) || 1;
    for (let count = 0; count < 6; count++) if (Math.abs(step * 10 ** count - Math.round(step * 10 ** count)) < 1e-6) return count;
    return 6;
  }
  const formats = new Map();
  function clock(seconds, step, zone) {
    const kind = step >= 86400 ? "day" : step >= 60 ? "minute" : "second";
    const key = kind + zone;
    if (!formats.has(key)) {
      formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...(kind === "day" ? { day: "2-digit", month: "short" } : { hour: "2-digit", minute: "2-digit", ...(kind === "second" ? { second: "2-digit" } : {}) }) }));
    }
    return formats.get(key).format(seconds * 1000);
  }
  customElements.define("mw-trend", Trend);
})();
