/* Fields of the editor's forms: one row a value; a change is sent when it is done. */
const { make } = Millwright;
let lists = 0;
export const YES_NO = { true: "yes", false: "no" };

/* Read what a person typed: JSON if it is, else text. */
export const read = (text) => {
  const plain = text.trim();
  if (/^(-?\d|true$|false$|[[{"])/.test(plain)) { try { return JSON.parse(plain); } catch { /* it is text */ } }
  return text;
};

export const write = (value) => {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  return typeof read(value) === "string" ? value : JSON.stringify(value);
};

export class Form {
  constructor(editor, holder) { this.editor = editor; this.holder = holder; }

  group(words, hint = "") {
    const box = make("fieldset", "mw-we-group", this.holder);
    make("legend", "", box, words);
    if (hint) make("p", "mw-hint", box, hint);
    return new Form(this.editor, box);
  }

  /* spec: {place, label, type, about, required, choices, offered, value, fallback, done} */
  field(spec) {
    const row = make("div", "mw-we-field", this.holder), id = `mw-we-${spec.place.join("-")}`;
    const label = make("label", "", row, spec.required ? `${spec.label} *` : spec.label);
    label.htmlFor = id;
    const control = spec.type === "object" || (spec.type === "any" && typeof spec.value === "object")
      ? this.#object(row, spec) : this.#control(row, spec);
    control.id = id; control.dataset.place = id;
    if (spec.about) { control.title = spec.about; make("span", "mw-hint", row, spec.about); }
    this.#problem(row, control, spec);
    return control;
  }

  #problem(row, control, spec) {
    const where = spec.place.reduce((path, key) => (typeof key === "number" ? `${path}[${key}]` : path ? `${path}.${key}` : key), "");
    const found = this.editor.state.problems.filter((each) => each.where === where);
    if (!found.length) return;
    control.setAttribute("aria-invalid", "true");
    for (const each of found) make("span", `mw-we-wrong mw-we-${each.severity}`, row, `${each.severity === "error" ? "▲" : "◆"} ${each.message}. ${each.hint}`);
  }

  #control(row, spec) {
    if (spec.choices || spec.type === "boolean") return this.#select(row, spec);
    const text = write(spec.type === "any" || spec.type === "number" ? spec.value : undefined) || (spec.value ?? "");
    const isLong = spec.isLong || String(text).length > 60 || String(text).includes("\n");
    const control = make(isLong ? "textarea" : "input", "mw-we-control", row);
    control.value = String(text).replace(/\n$/, ""); control.placeholder = spec.fallback ?? "";
    if (isLong) control.rows = Math.min(8, Math.max(2, Math.ceil(control.value.length / 44) + (control.value.match(/\n/g)?.length ?? 0)));
    if (spec.offered?.length) this.#offer(row, control, spec.offered);
    control.onchange = () => this.#take(control, spec);
    return control;
  }

  #take(control, spec) {
    const text = control.value;
    let value = text.trim() === "" ? null : text;
    if (value !== null && spec.type === "number" && !text.includes("${")) {
      value = Number(text.trim().replace(",", "."));
      control.setCustomValidity(Number.isFinite(value) ? "" : "Write a number or ${an expression}");
      if (!control.reportValidity()) return;
    }
    if (value !== null && spec.type === "any") value = read(text);
    this.#send(spec, value);
  }

  #send(spec, value) { (spec.done ?? ((each) => this.editor.put(spec.place, each)))(value); }

  #offer(row, control, words) {
    const list = make("datalist", "", row);
    lists += 1; list.id = `mw-we-list-${lists}`;
    for (const word of words) make("option", "", list).value = word;
    control.setAttribute("list", list.id);
  }

  #select(row, spec) {
    const control = make("select", "mw-we-control", row), isBoolean = spec.type === "boolean";
    const choices = isBoolean ? ["true", "false"] : [...spec.choices];
    const value = spec.value === undefined || spec.value === null ? "" : String(spec.value);
    if (!spec.required || value === "") choices.unshift("");
    if (!choices.includes(value)) choices.push(value);
    for (const choice of choices) {
      const option = make("option", "", control, (isBoolean && YES_NO[choice]) || choice || (spec.fallback ? `${spec.fallback} (default)` : "–"));
      option.value = choice;
    }
    control.value = value;
    control.onchange = () => this.#send(spec, control.value === "" ? null : isBoolean ? control.value === "true" : control.value);
    return control;
  }

  /* An object, one line a key; values are text, numbers or JSON. */
  #object(row, spec) {
    const box = make("div", "mw-we-object", row), value = spec.value && typeof spec.value === "object" ? spec.value : {};
    if (typeof spec.value === "string") return this.#control(row, { ...spec, type: "any" });
    const rows = [];
    const collect = () => Object.fromEntries(rows.map(([key, field]) => [key.value.trim(), read(field.value)]).filter(([key]) => key));
    const done = () => { const all = collect(); this.#send(spec, Object.keys(all).length ? all : null); };
    const add = (key, text) => {
      const line = make("div", "mw-we-pair", box), name = make("input", "mw-we-control", line), field = make(text.length > 40 ? "textarea" : "input", "mw-we-control", line);
      name.value = key; name.placeholder = "name"; name.ariaLabel = `Name in ${spec.label}`;
      field.value = text; field.placeholder = "value"; field.ariaLabel = `${key || "Value"} in ${spec.label}`;
      name.dataset.place = `${spec.place.join("-")}-${rows.length}-name`; field.dataset.place = `${spec.place.join("-")}-${rows.length}`;
      const pair = [name, field];
      rows.push(pair);
      name.onchange = () => { if (field.value || key) done(); };
      field.onchange = () => { if (name.value.trim()) done(); };
      const drop = make("button", "mw-we-drop", line, "×");
      drop.type = "button"; drop.title = `Remove ${key}`; drop.ariaLabel = drop.title;
      drop.onclick = () => { rows.splice(rows.indexOf(pair), 1); line.remove(); done(); };
      return name;
    };
    for (const [key, each] of Object.entries(value)) add(key, write(each));
    const more = make("button", "mw-button mw-small", row, "Add a value");
    more.type = "button"; more.onclick = () => add("", "").focus();
    return box;
  }
}
