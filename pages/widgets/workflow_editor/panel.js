/* The forms beside the graph: the chosen step, the inputs, the triggers, the workflow itself. */
import { Form } from "./forms.js";

const { make } = Millwright;
const TABS = { step: "Step", inputs: "Inputs", triggers: "Triggers", workflow: "Workflow" };
const TRIGGERS = { mqtt: "Message", finding: "Finding", alarm: "Alarm", schedule: "Schedule", workflow: "End of a workflow" };
const ACTIONS = { task: "Task of an agent", publish: "Publish a message", notify: "Notify people", http: "HTTP call", wait: "Wait", approve: "Ask a person", command: "Command to the plant", workflow: "Run a workflow" };
const label = (name) => { const words = name.replace(/_s$/, "").replaceAll("_", " "); return `${words[0].toUpperCase()}${words.slice(1)}${name.endsWith("_s") ? ", s" : ""}`; };

export class Panel {
  constructor(editor, holder) {
    this.editor = editor; this.tab = "step"; this.holder = holder;
    this.tabs = make("div", "mw-we-tabs", holder);
    this.tabs.setAttribute("role", "tablist");
    this.body = make("div", "mw-we-form", holder);
    this.body.setAttribute("role", "tabpanel");
  }

  show() {
    const kept = this.#keep();
    this.tabs.replaceChildren();
    for (const [name, words] of Object.entries(TABS)) {
      const prefix = { step: "steps", workflow: "runs" }[name] ?? name, problems = this.editor.problemsOf(prefix).length;
      const button = make("button", "mw-we-tab", this.tabs, problems && name !== "step" ? `${words} ▲` : words);
      button.type = "button"; button.setAttribute("role", "tab"); button.ariaSelected = String(this.tab === name);
      button.onclick = () => { this.tab = name; this.show(); };
    }
    this.body.replaceChildren();
    this.body.inert = Boolean(this.editor.state.isBroken);
    if (this.editor.state.isBroken) make("p", "mw-we-wrong mw-we-error", this.body, "▲ The text cannot be read. Mend it first; the forms come back then.");
    const form = new Form(this.editor, this.body), data = this.editor.state.draft?.data;
    if (data) this[`_${this.tab}`](form, data);
    this.#restore(kept);
  }

  /* What a person is typing at outlives the answer to an earlier change. */
  #keep() {
    const at = document.activeElement;
    return this.body.contains(at) && at.dataset.place ? { place: at.dataset.place, value: at.value, from: at.selectionStart } : null;
  }

  #restore(kept) {
    const at = kept && this.body.querySelector(`[data-place="${CSS.escape(kept.place)}"]`);
    if (!at) return;
    if (at.value !== kept.value && at.tagName !== "SELECT") at.value = kept.value;
    at.focus({ preventScroll: true });
    try { at.setSelectionRange?.(kept.from, kept.from); } catch { /* not a text field */ }
  }

  _step(form) {
    const { editor } = this, steps = editor.steps, index = steps.findIndex((each) => each.id === editor.chosen), step = steps[index];
    if (!step) { make("p", "mw-hint", this.body, "Choose a step in the graph, or add one."); return; }
    const at = (...keys) => ["steps", index, ...keys], about = editor.schema.about.Step;
    form.field({ place: at("title"), label: "Title", type: "text", value: step.title, about: "What an operator reads" });
    form.field({ place: at("id"), label: "Id", type: "text", value: step.id, required: true, done: (value) => {
      if (!value || value === step.id) return;
      editor.chosen = value.trim(); editor.edit({ op: "rename_step", old: step.id, new: value.trim() });
    } });
    this.#choice(form, at("do"), "Does", ACTIONS, step.do);
    this.#needs(form, step, index);
    form.field({ place: at("when"), label: "Only if", type: "text", value: step.when, about: about.when, isLong: true });
    this.#action(form.group(ACTIONS[step.do] ?? "Action"), step.do, step.with, at("with"));
    this.#repeat(form, step, at);
    this.#failing(form, step, at);
    this.#dry(step);
    const remove = make("button", "mw-button mw-danger", this.body, "Remove the step");
    remove.type = "button"; remove.onclick = () => editor.removeStep(step.id);
  }

  #choice(form, place, words, choices, value) {
    const control = form.field({ place, label: words, type: "text", choices: Object.keys(choices), required: true, value });
    for (const option of control.options) option.textContent = choices[option.value] ?? (option.value || "–");
  }

  #needs(form, step, index) {
    const { editor } = this, box = form.group("Begins after"), needs = Array.isArray(step.needs) ? step.needs : [];
    const others = editor.steps.filter((each) => each.id && each.id !== step.id);
    if (!others.length) make("p", "mw-hint", box.holder, "There is no other step.");
    for (const other of others) {
      const line = make("label", "mw-we-check", box.holder), tick = make("input", "", line);
      tick.type = "checkbox"; tick.checked = needs.includes(other.id); tick.dataset.place = `needs-${index}-${other.id}`;
      make("span", "", line, String(other.title || other.id));
      tick.onchange = () => editor.edit({ op: tick.checked ? "connect" : "disconnect", from: other.id, to: step.id });
    }
  }

  #action(form, action, given, place) {
    const { schema } = this.editor, fields = schema.actions[action] ?? {}, value = given && typeof given === "object" ? given : {};
    const offered = { capability: schema.offered.capabilities, tag: action === "command" ? schema.offered.writable : schema.offered.tags, equipment: schema.offered.units };
    if (action === "workflow") offered.name = schema.offered.workflows;
    for (const [name, field] of Object.entries(fields)) {
      form.field({ place: [...place, name], label: label(name), ...field, value: value[name], offered: offered[name], choices: name === "role" ? schema.roles : undefined, isLong: ["message", "question", "until"].includes(name) });
    }
    for (const name of Object.keys(value).filter((each) => !fields[each])) {
      form.field({ place: [...place, name], label: name, type: "any", value: value[name], about: "This action has no such field; empty it to remove it" });
    }
  }

  #repeat(form, step, at) {
    const about = this.editor.schema.about, box = form.group("Again"), earlier = this.editor.steps.map((each) => each.id);
    box.field({ place: at("for_each"), label: "For each of", type: "text", value: step.for_each, about: about.Step.for_each });
    if (step.for_each) box.field({ place: at("parallel"), label: "At once", type: "number", value: step.parallel, fallback: "1", about: about.Step.parallel });
    box.field({ place: at("goto", "step"), label: "Then back to", type: "text", choices: earlier, value: step.goto?.step, about: about.Jump.step, done: (value) => this.editor.put(value ? at("goto", "step") : at("goto"), value) });
    if (!step.goto) return;
    box.field({ place: at("goto", "when"), label: "Back only if", type: "text", value: step.goto.when, about: about.Jump.when });
    box.field({ place: at("goto", "max"), label: "Times at most", type: "number", value: step.goto.max, fallback: "10", about: about.Jump.max });
  }

  #failing(form, step, at) {
    const { editor } = this, about = editor.schema.about, box = form.group("If it fails"), retry = step.retry ?? {};
    const ends = ["fail", "continue", ...editor.steps.filter((each) => each.id && each !== step).map((each) => `goto:${each.id}`)];
    box.field({ place: at("timeout_s"), label: "Time for one try, s", type: "number", value: step.timeout_s, fallback: String(editor.schema.timeouts[step.do] ?? "") });
    box.field({ place: at("retry", "attempts"), label: "Tries in all", type: "number", value: retry.attempts, fallback: "1" });
    if (retry.attempts > 1) {
      box.field({ place: at("retry", "wait_s"), label: "Wait before the second, s", type: "number", value: retry.wait_s, fallback: "1" });
      box.field({ place: at("retry", "factor"), label: "Each wait longer by", type: "number", value: retry.factor, fallback: "2", about: about.Retry.factor });
      box.field({ place: at("retry", "max_wait_s"), label: "Longest wait, s", type: "number", value: retry.max_wait_s, fallback: "60" });
    }
    box.field({ place: at("on_error"), label: "Then", type: "text", choices: ends, value: step.on_error, fallback: "fail", about: "fail ends the run; continue goes on; goto leads to a step" });
    const undo = step.compensate, group = form.group("Taken back by", "When a later step fails or the run is cancelled");
    group.field({ place: at("compensate", "do"), label: "Does", type: "text", choices: editor.schema.undo, value: undo?.do, fallback: "nothing", done: (value) => editor.put(value ? at("compensate", "do") : at("compensate"), value) });
    if (!undo) return;
    this.#action(group, undo.do, undo.with, at("compensate", "with"));
    group.field({ place: at("compensate", "timeout_s"), label: "Time for it, s", type: "number", value: undo.timeout_s, fallback: "60" });
  }

  #dry(step) {
    const result = this.editor.results[step.id];
    if (!result) return;
    const box = make("fieldset", "mw-we-group", this.body);
    make("legend", "", box, "Dry run");
    make("p", "", box, result.error || `Would be ${result.state}`);
    for (const name of ["input", "output"]) if (result[name] !== undefined && result[name] !== null) {
      make("span", "mw-hint", box, name === "input" ? "Would be sent" : "Is taken as its outcome");
      make("pre", "mw-we-json", box, JSON.stringify(result[name], null, 2));
    }
  }

  _inputs(form, data) {
    const { editor } = this, about = editor.schema.about.Input, inputs = data.inputs && typeof data.inputs === "object" ? data.inputs : {};
    for (const [name, input] of Object.entries(inputs)) {
      const at = (...keys) => ["inputs", name, ...keys], box = form.group(String(input.title || name)), isNumber = ["number", "integer"].includes(input.kind);
      box.field({ place: at("_name"), label: "Name", type: "text", value: name, required: true, about: `\${input.${name}}`, done: (value) => value && value !== name && editor.edit({ op: "rename_input", old: name, new: value.trim() }) });
      box.field({ place: at("title"), label: "Title", type: "text", value: input.title });
      box.field({ place: at("description"), label: "Description", type: "text", value: input.description });
      box.field({ place: at("kind"), label: "Kind", type: "text", choices: editor.schema.inputs, value: input.kind, fallback: "text" });
      box.field({ place: at("required"), label: "Required", type: "boolean", value: input.required, fallback: "no", about: about.required });
      box.field({ place: at("default"), label: "Default", type: isNumber ? "number" : input.kind === "boolean" ? "boolean" : input.kind === "object" ? "any" : "text", value: input.default, choices: input.kind === "choice" ? input.choices ?? [] : undefined, about: about.default });
      if (isNumber) for (const bound of ["low", "high"]) box.field({ place: at(bound), label: label(bound), type: "number", value: input[bound] });
      if (isNumber) box.field({ place: at("unit"), label: "Unit (UCUM)", type: "text", value: input.unit });
      if (input.kind === "choice") box.field({ place: at("choices"), label: "Choices, by commas", type: "text", value: (input.choices ?? []).join(", "), done: (value) => editor.put(at("choices"), value ? value.split(",").map((each) => each.trim()).filter(Boolean) : null) });
      this.#drop(box, `Remove “${name}”`, at());
    }
    this.#more("Add an input", () => {
      let number = Object.keys(inputs).length + 1;
      while (inputs[`input_${number}`]) number += 1;
      editor.put(["inputs", `input_${number}`, "kind"], "text");
    });
  }

  _triggers(form, data) {
    const { editor } = this, { schema } = editor, triggers = Array.isArray(data.triggers) ? data.triggers : [], about = schema.about.Trigger;
    triggers.forEach((trigger, index) => {
      const at = (...keys) => ["triggers", index, ...keys], box = form.group(`${index + 1}. ${TRIGGERS[trigger.on] ?? "Trigger"}`);
      this.#choice(box, at("on"), "On", TRIGGERS, trigger.on);
      for (const name of schema.triggers[trigger.on] ?? []) this.#triggerField(box, trigger, name, at);
      box.field({ place: at("when"), label: "Only if", type: "text", value: trigger.when, about: about.when });
      box.field({ place: at("input"), label: "Inputs of the run", type: "object", value: trigger.input, about: about.input });
      box.field({ place: at("key"), label: "Counted by", type: "text", value: trigger.key, about: about.key });
      for (const name of ["debounce_s", "cooldown_s"]) box.field({ place: at(name), label: label(name), type: "number", value: trigger[name], fallback: "0", about: about[name] });
      this.#drop(box, "Remove the trigger", at());
    });
    if (!triggers.length) make("p", "mw-hint", this.body, "Nothing starts it by itself; a person can, and HTTP, MQTT and other workflows.");
    this.#more("Add a trigger", () => editor.edit({ op: "append", name: "triggers", value: { on: "finding" } }));
  }

  #triggerField(box, trigger, name, at) {
    const { schema } = this.editor, choices = { shift: schema.shifts, priority: ["1", "2", "3", "4"] }[name];
    const offered = { equipment: schema.offered.units, workflow: schema.offered.workflows }[name];
    const spec = { place: at(name), label: label(name), type: "text", value: trigger[name], about: schema.about.Trigger[name], choices, offered };
    if (name === "priority") spec.done = (value) => this.editor.put(at(name), value && Number(value));
    if (name === "states") { spec.value = (trigger.states ?? []).join(", "); spec.fallback = "completed"; spec.done = (value) => this.editor.put(at(name), value ? value.split(",").map((each) => each.trim()) : null); }
    box.field(spec);
  }

  _workflow(form, data) {
    const { schema } = this.editor, runs = data.runs && typeof data.runs === "object" ? data.runs : {}, about = schema.about.Concurrency;
    form.field({ place: ["name"], label: "Name", type: "text", value: data.name, required: true, about: "Another name makes another workflow" });
    form.field({ place: ["title"], label: "Title", type: "text", value: data.title, about: schema.about.Workflow.title });
    form.field({ place: ["description"], label: "Description", type: "text", value: data.description, isLong: true, about: schema.about.Workflow.description });
    form.field({ place: ["role"], label: "May be started by", type: "text", choices: schema.roles, value: data.role, fallback: "operator", about: schema.about.Workflow.role });
    form.field({ place: ["enabled"], label: "Triggers work", type: "boolean", value: data.enabled, fallback: "yes" });
    const box = form.group("Runs beside each other");
    box.field({ place: ["runs", "mode"], label: "A further start", type: "text", choices: schema.modes, value: runs.mode, fallback: "parallel", about: "single: refused; restart: the others are cancelled; queued: waits; parallel: runs beside" });
    box.field({ place: ["runs", "max"], label: "At once", type: "number", value: runs.max, fallback: "50", about: about.max });
    box.field({ place: ["runs", "queue"], label: "Waiting at most", type: "number", value: runs.queue, fallback: "1000", about: about.queue });
    box.field({ place: ["runs", "key"], label: "Counted by", type: "text", value: runs.key, about: about.key });
  }

  #drop(form, words, place) {
    const button = make("button", "mw-button mw-small", form.holder, words);
    button.type = "button"; button.onclick = () => this.editor.put(place, null);
  }

  #more(words, act) {
    const button = make("button", "mw-button", this.body, words);
    button.type = "button"; button.onclick = act;
  }
}
