/* The range as a button, "21 Nov 23:11 – 22 Nov 00:11"; behind it two times to type or to pick.
 *
 * new RangeField(box, {onRange(from, to)}); show(from, to). All times are the plant's, 24 h,
 * whatever the browser's language is.
 */
(() => {
  "use strict";
  const { live, make, put, zone } = Millwright;
  const HOURS = ["00:00", "06:00", "12:00", "14:00", "18:00", "22:00"], DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
  const FORM = "2026-11-21 14:02", MAX_SPAN_MS = 366 * 86400e3, LEAST_MS = 2000;

  class RangeField {
    constructor(box, calls) {
      this.calls = calls;
      this.box = make("div", "mw-trend-range", box);
      this.button = make("button", "mw-trend-time", this.box);
      Object.assign(this.button, { type: "button", title: "From and to, plant time", onclick: () => this.toggle() });
      this.button.ariaHasPopup = "dialog"; this.button.ariaExpanded = "false";
      addEventListener("pointerdown", (event) => { if (this.panel && !this.box.contains(event.target)) this.close(); });
    }
    show(from, to) {
      this.range = [from, to];
      put(this.button, zone.span(from, to));
    }
    toggle() { if (this.panel) this.close(); else this.open(); }
    close() {
      this.panel?.remove();
      this.panel = null;
      this.button.ariaExpanded = "false";
    }
    open() {
      this.panel = make("form", "mw-trend-when", this.box);
      this.panel.setAttribute("role", "dialog"); this.panel.ariaLabel = "From and to";
      this.panel.noValidate = true;
      this.button.ariaExpanded = "true";
      this.panel.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); this.button.focus(); } };
      this.panel.onsubmit = (event) => { event.preventDefault(); this.apply(); };
      const fields = make("div", "mw-trend-fields", this.panel);
      this.fields = [this.field(fields, "From", this.range[0]), this.field(fields, "To", this.range[1])];
      this.calendar = make("div", "mw-trend-calendar", this.panel);
      this.hours();
      this.buttons();
      this.choose(this.fields[0]);
      this.fields[0].input.focus(); this.fields[0].input.select();
    }
    field(parent, words, ms) {
      const label = make("label", "", parent);
      make("span", "mw-hint", label, words);
      const input = make("input", "mw-trend-when-field", label), error = make("span", "mw-trend-wrong", label);
      const made = { words, input, error };
      Object.assign(input, { type: "text", value: zone.wall(ms), autocomplete: "off", spellcheck: false, placeholder: FORM });
      input.ariaLabel = `${words}, plant time`;
      input.onfocus = () => this.choose(made);
      input.oninput = () => { this.complain(made, ""); this.choose(made); };
      return made;
    }
    // The field that the calendar and the hours fill.
    choose(field) {
      this.chosen = field;
      const ms = this.read(field);
      const { year, month } = zone.parts(Number.isNaN(ms) ? live.now() : ms);
      this.paint(Number(year), Number(month));
    }
    read(field) { return zone.parse(field.input.value, live.now()); }
    // Put a day or an hour into the chosen field and keep the rest of what it says.
    fill(change) {
      const ms = this.read(this.chosen), at = { ...zone.parts(Number.isNaN(ms) ? live.now() : ms), ...change };
      const made = zone.instant(...[at.year, at.month, at.day, at.hour, at.minute, at.second].map(Number));
      this.chosen.input.value = zone.wall(made);
      this.complain(this.chosen, "");
      this.choose(this.chosen);
    }

    paint(year, month) {
      this.calendar.replaceChildren();
      const head = make("div", "mw-trend-month", this.calendar);
      const turn = (by) => { const other = new Date(Date.UTC(year, month - 1 + by, 1)); this.paint(other.getUTCFullYear(), other.getUTCMonth() + 1); };
      this.chip(head, "◀", "Month before", () => turn(-1));
      make("b", "", head, new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }).format(Date.UTC(year, month - 1, 15)));
      this.chip(head, "▶", "Month after", () => turn(1));
      const grid = make("div", "mw-trend-days", this.calendar);
      for (const day of DAYS) make("span", "mw-hint", grid, day);
      const count = new Date(Date.UTC(year, month, 0)).getUTCDate(), first = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
      const [from, to] = this.fields.map((field) => zone.wall(this.read(field) || 0).slice(0, 10)), today = zone.wall(live.now()).slice(0, 10);
      for (let day = 1; day <= count; day++) {
        const name = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
        const chip = this.chip(grid, String(day), name, () => this.fill({ year, month, day }));
        if (day === 1) chip.style.gridColumnStart = first + 1;
        chip.classList.toggle("mw-within", from < name && name < to);
        chip.setAttribute("aria-pressed", String(name === from || name === to));
        if (name === today) chip.ariaCurrent = "date";
      }
    }
    hours() {
      const line = make("div", "mw-trend-hours-line", this.panel);
      for (const words of HOURS) {
        const [hour, minute] = words.split(":");
        this.chip(line, words, `At ${words}`, () => this.fill({ hour, minute, second: "00" }));
      }
      this.chip(line, "now", "The present moment", () => this.fill(zone.parts(live.now())));
    }
    buttons() {
      const line = make("div", "mw-trend-when-foot", this.panel);
      make("span", "mw-hint", line, `24 h, ${zone.short(this.range[1])} (${zone.name()})`);
      const cancel = make("button", "mw-button mw-small", line, "Cancel");
      Object.assign(cancel, { type: "button", onclick: () => { this.close(); this.button.focus(); } });
      make("button", "mw-button mw-small mw-primary", line, "Show").type = "submit";
    }
    chip(parent, words, title, onclick) {
      const made = make("button", "mw-chip", parent, words);
      Object.assign(made, { type: "button", title, onclick });
      made.ariaLabel = title;
      return made;
    }

    complain(field, words) {
      put(field.error, words);
      field.input.ariaInvalid = String(Boolean(words));
    }
    apply() {
      const [from, to] = this.fields.map((field) => this.read(field));
      const wrong = this.fields.find((field) => Number.isNaN(this.read(field)));
      if (wrong) { this.refuse(wrong, `This is no time; write it like ${FORM}`); return; }
      if (to - from < LEAST_MS) { this.refuse(this.fields[1], "The end must be after the beginning"); return; }
      if (to - from > MAX_SPAN_MS) { this.refuse(this.fields[0], "Choose a year at most"); return; }
      this.close();
      this.button.focus();
      this.calls.onRange(from, to);
    }
    refuse(field, words) {
      this.complain(field, words);
      field.input.focus();
    }
  }
  Millwright.RangeField = RangeField;
})();
