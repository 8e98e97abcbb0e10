/* <div> that finds tags by words or by unit: new Picker(box, {onPick(tag), isChosen(path)}).
 *
 * Knows every tag of the plant with its description; `load` fetches them once, `tag(path)` gives one.
 */
(() => {
  "use strict";
  const { make, put, trendHistory } = Millwright;
  const SHOWN = 60;

  class Picker {
    constructor(box, calls) {
      this.calls = calls;
      this.units = [];
      this.tags = new Map();
      const label = make("label", "mw-hint", box, "Add a pen");
      this.input = make("input", "mw-trend-find", box);
      Object.assign(this.input, { type: "search", id: "mw-trend-find", placeholder: "Pressure, P-102, current …", autocomplete: "off" });
      label.htmlFor = this.input.id;
      this.list = make("div", "mw-trend-found", box);
      this.input.oninput = () => this.paint();
      this.input.onkeydown = (event) => this.key(event);
      this.list.onkeydown = (event) => this.key(event);
    }
    async load(signal) {
      this.units = await trendHistory.get("/api/equipment", {}, signal);
      for (const unit of this.units) {
        for (const tag of unit.tags ?? []) this.tags.set(tag.path, { unit: "1", decimals: 1, kind: "analog", ...tag, unitName: unit.name });
      }
      this.paint();
    }
    tag(path) { return this.tags.get(path) ?? null; }
    title(path) {
      const tag = this.tag(path);
      return tag ? tag.description || path.split("/").pop() : path.split("/").pop();
    }

    paint() {
      const wanted = this.input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      this.list.replaceChildren();
      if (!this.units.length) { make("p", "mw-hint", this.list, "No tags are known yet; they appear when the first values arrive"); return; }
      if (wanted.length) this.paintHits(wanted); else this.paintUnits();
    }
    paintHits(wanted) {
      const hits = [...this.tags.values()].filter((tag) => {
        const text = `${tag.path} ${tag.description ?? ""} ${tag.unitName}`.toLowerCase();
        return wanted.every((word) => text.includes(word));
      });
      for (const tag of hits.slice(0, SHOWN)) this.row(this.list, tag, tag.unitName);
      if (!hits.length) make("p", "mw-hint", this.list, "No tag has these words");
      if (hits.length > SHOWN) make("p", "mw-hint", this.list, `${hits.length - SHOWN} more; add a word`);
    }
    paintUnits() {
      for (const unit of this.units) {
        const box = make("details", "mw-trend-unit", this.list);
        const head = make("summary", "", box, unit.name);
        head.title = unit.path;
        box.ontoggle = () => {
          if (!box.open || box.childElementCount > 1) return;
          for (const tag of unit.tags ?? []) this.row(box, this.tags.get(tag.path), "");
        };
      }
    }
    row(parent, tag, where) {
      const row = make("button", "mw-trend-hit", parent);
      row.type = "button";
      row.title = tag.path;
      make("span", "mw-trend-hit-words", row, tag.description || tag.path.split("/").pop());
      make("span", "mw-unit", row, Millwright.unit(tag.unit));
      if (where) make("span", "mw-hint", row, where);
      row.setAttribute("aria-pressed", String(this.calls.isChosen(tag.path)));
      row.onclick = () => { this.calls.onPick(tag); row.setAttribute("aria-pressed", String(this.calls.isChosen(tag.path))); };
    }
    refresh() {
      for (const row of this.list.querySelectorAll(".mw-trend-hit")) row.setAttribute("aria-pressed", String(this.calls.isChosen(row.title)));
    }
    key(event) {
      if (!["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
      event.preventDefault(); event.stopPropagation();
      if (event.key === "Escape") { this.input.value = ""; this.paint(); this.input.focus(); return; }
      const stops = [this.input, ...this.list.querySelectorAll("summary, .mw-trend-hit")].filter((each) => each.offsetParent);
      const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      stops[Math.min(stops.length - 1, Math.max(0, next))].focus();
    }
  }
  Millwright.TrendPicker = Picker;
})();
