/* The dry run: asks for the inputs, then shows at each step what it would do. */
import { YES_NO, read, write } from "./forms.js";

const { make, unit } = Millwright;

export class DryRun {
  constructor(editor) { this.editor = editor; this.given = {}; }

  ask() {
    const inputs = this.editor.state.draft?.data.inputs ?? {};
    this.back = make("div", "mw-sheet-back", document.body);
    const box = make("form", "mw-sheet mw-ask mw-we-dry", this.back), shell = document.querySelector(".mw-shell");
    box.setAttribute("role", "dialog"); box.ariaModal = "true"; box.ariaLabel = "Dry run"; box.tabIndex = -1;
    make("h2", "", box, "Dry run");
    make("p", "mw-hint", box, "Nothing is sent and nothing in the plant changes. Each step shows what it would do.");
    this.fields = Object.entries(inputs).map(([name, input]) => this.#field(box, name, input));
    this.error = make("p", "mw-we-wrong mw-we-error", box);
    const line = make("div", "mw-row mw-ask-buttons", box), go = make("button", "mw-button mw-primary", line, "Run dry"), cancel = make("button", "mw-button", line, "Back");
    cancel.type = "button"; go.type = "submit";
    const before = document.activeElement;
    this.close = () => { this.back.remove(); if (shell) shell.inert = false; before?.focus?.(); this.close = null; };
    cancel.onclick = () => this.close();
    box.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); } };
    box.onsubmit = (event) => { event.preventDefault(); this.#run(go); };
    if (shell) shell.inert = true;
    (this.fields[0]?.control ?? go).focus();
  }

  #field(box, name, input) {
    const row = make("div", "mw-we-field", box), label = make("label", "", row, `${input.title || name}${input.required ? " *" : ""}${input.unit ? `, ${unit(input.unit)}` : ""}`);
    label.htmlFor = `mw-we-dry-of-${name}`;
    const choices = input.kind === "boolean" ? ["true", "false"] : input.kind === "choice" ? input.choices ?? [] : null;
    const control = make(choices ? "select" : "input", "mw-we-control", row);
    control.id = label.htmlFor;
    for (const choice of choices ? ["", ...choices] : []) make("option", "", control, (input.kind === "boolean" && YES_NO[choice]) || choice || "–").value = choice;
    control.value = this.given[name] ?? write(input.default ?? "");
    if (input.kind === "time") control.placeholder = "2026-01-31T06:00:00+01:00";
    const offered = { equipment: this.editor.schema.offered.units, tag: this.editor.schema.offered.tags }[input.kind];
    if (offered) {
      const list = make("datalist", "", row);
      list.id = `mw-we-dry-${name}`; control.setAttribute("list", list.id);
      for (const word of offered) make("option", "", list).value = word;
    }
    if (input.description) make("span", "mw-hint", row, input.description);
    const wrong = make("span", "mw-we-wrong mw-we-error", row);
    return { name, kind: input.kind ?? "text", control, wrong };
  }

  #run(button) {
    const given = {};
    for (const { name, kind, control, wrong } of this.fields) {
      this.given[name] = control.value; wrong.textContent = "";
      if (control.value === "") continue;
      given[name] = ["number", "integer", "boolean", "object"].includes(kind) ? read(control.value) : control.value;
    }
    button.disabled = true; this.button = button;
    this.editor.send({ op: "dry", input: given });
  }

  hear(body) {
    if (this.button) this.button.disabled = false;
    if (body.error) {
      if (!this.close) return;
      for (const { name, wrong } of this.fields) wrong.textContent = body.fields[name] ? `▲ ${body.fields[name]}` : "";
      const isNamed = this.fields.some(({ name }) => body.fields[name]);
      this.error.textContent = isNamed ? "" : `▲ ${body.error}`;
      return;
    }
    this.close?.();
    this.editor.results = Object.fromEntries((body.run.steps ?? []).map((each) => [each.step, { state: "pending", ...each }]));
    this.editor.graph.paint(); this.editor.panel.show();
    this.editor.graph.scroll.scrollIntoView({ block: "nearest" });
  }
}
