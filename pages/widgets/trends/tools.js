/* The bar above the chart: range, move, compare, band, export. Draws itself from the state it is given.
 *
 * new Tools(box, {onState(change), onZoom(factor), onPan(share), onMoving(flag)}); show(state).
 */
(() => {
  "use strict";
  const { make, trendState, trendHistory, RangeField } = Millwright;
  const RANGES = [[300, "5 min"], [900, "15 min"], [3600, "1 h"], [28800, "8 h"], [86400, "24 h"], [604800, "7 d"], [2592000, "30 d"]];
  const COMPARISONS = [["0", "nothing"], ["span", "the time before"], ["86400", "a day before"], ["604800", "a week before"], ["own", "other …"]];
  const HOUR_S = 3600;

  class Tools {
    constructor(box, calls) {
      this.calls = calls;
      this.ranges = this.group(box, "Range");
      for (const [seconds, words] of RANGES) {
        this.chip(this.ranges, words, `Live, the last ${words}`, () => calls.onState({ live: true, spanS: seconds })).dataset.range = seconds;
      }
      const move = this.group(box, "From, to and move");
      this.range = new RangeField(move, { onRange: (from, to) => calls.onState({ live: false, ...trendState.clamp(from, to) }) });
      this.chip(move, "◀", "Earlier (←)", () => calls.onPan(-0.5));
      this.chip(move, "▶", "Later (→)", () => calls.onPan(0.5));
      this.chip(move, "+", "Zoom in (+)", () => calls.onZoom(0.5));
      this.chip(move, "−", "Zoom out (−)", () => calls.onZoom(2));
      const look = this.group(box, "Look");
      const label = make("label", "mw-hint", look, "Compare with ");
      this.compare = make("select", "mw-trend-select", label);
      for (const [value, words] of COMPARISONS) this.compare.append(new Option(words, value));
      this.compare.onchange = () => this.chooseComparison();
      this.own = make("label", "mw-hint mw-trend-own", look);
      this.own.hidden = true;
      this.hours = make("input", "mw-trend-hours", this.own);
      Object.assign(this.hours, { type: "number", min: "0.1", step: "any", max: "8760" });
      this.own.append(" hours before");
      this.hours.onchange = () => this.chooseHours();
      this.moving = this.chip(look, "Drag moves", "Drag moves instead of zooming (or hold Shift)", () => this.toggleMoving());
      this.moving.setAttribute("aria-pressed", "false");
      this.band = this.chip(look, "Min–max", "A band of all values between two drawn points", () => calls.onState({ band: !this.state.band }));
      const files = this.group(box, "Save");
      this.csv = this.file(files, "CSV", "csv");
      this.parquet = this.file(files, "Parquet", "parquet");
    }
    group(box, words) {
      const made = make("div", "mw-trend-group", box);
      made.setAttribute("role", "group"); made.setAttribute("aria-label", words);
      return made;
    }
    chip(parent, words, title, onclick) {
      const made = make("button", "mw-chip", parent, words);
      Object.assign(made, { type: "button", title, onclick });
      if (words.length === 1) made.setAttribute("aria-label", title);
      return made;
    }
    file(parent, words, format) {
      const made = make("a", "mw-button mw-small", parent, words);
      made.dataset.format = format;
      made.title = `Every stored value of the pens in this range, as ${words}`;
      made.onclick = () => this.address(made);   // a live range moves on: look again at the click
      return made;
    }
    address(link) {
      const { from, to } = trendState.range(this.state);
      const query = new URLSearchParams({ tags: this.state.tags.join(","), start: trendHistory.iso(from), end: trendHistory.iso(to), format: link.dataset.format });
      link.href = `/api/export?${query}`;
    }

    show(state) {
      this.state = state;
      for (const chip of this.ranges.children) {
        chip.setAttribute("aria-pressed", String(state.live && Number(chip.dataset.range) === state.spanS));
      }
      const { from, to } = trendState.range(state);
      this.range.show(from, to);
      const listed = COMPARISONS.some(([value]) => value === String(state.compareS));
      this.compare.value = listed ? String(state.compareS) : "own";
      this.own.hidden = listed;
      this.hours.value = String(+(state.compareS / HOUR_S).toFixed(2) || 24);
      this.band.setAttribute("aria-pressed", String(state.band));
      for (const link of [this.csv, this.parquet]) {
        link.classList.toggle("mw-off", !state.tags.length);
        if (state.tags.length) this.address(link); else link.removeAttribute("href");
      }
    }
    chooseComparison() {
      const { from, to } = trendState.range(this.state);
      if (this.compare.value === "own") { this.own.hidden = false; this.hours.focus(); this.chooseHours(); return; }
      this.calls.onState({ compareS: this.compare.value === "span" ? Math.round((to - from) / 1000) : Number(this.compare.value) });
    }
    chooseHours() {
      const hours = Number(this.hours.value);
      if (hours > 0) this.calls.onState({ compareS: Math.round(hours * HOUR_S) });
    }
    toggleMoving() {
      const isMoving = this.moving.getAttribute("aria-pressed") !== "true";
      this.moving.setAttribute("aria-pressed", String(isMoving));
      this.calls.onMoving(isMoving);
    }
  }
  Millwright.TrendTools = Tools;
})();
