/* The editor of one workflow: keeps what the server says, and sends what a person does. */
import { Graph } from "./graph.js";
import { Panel } from "./panel.js";
import { TextView } from "./text.js";
import { DryRun } from "./dry.js";

const { make } = Millwright;
const TYPING_MS = 350;

class WorkflowEditor extends HTMLElement {
  connectedCallback() {
    if (this.state) return;
    this.schema = JSON.parse(this.getAttribute("schema"));
    this.state = { text: "", draft: null, problems: [], dirty: false };
    this.chosen = null; this.seq = 0; this.results = {};
    this.#bar();
    const body = make("div", "mw-we-body", this);
    this.graph = new Graph(this, make("section", "mw-card mw-we-graph", body));
    this.panel = new Panel(this, make("section", "mw-card mw-we-panel", body));
    this.textView = new TextView(this, make("section", "mw-card mw-we-text", body));
    this.dryRun = new DryRun(this);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("pointerdown", () => { this.isPressed = true; });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => setTimeout(() => this.#released()));
    window.addEventListener("beforeunload", (event) => { if (this.isConnected && this.state.dirty) event.preventDefault(); });
    this.#ask(0);
  }

  /* The server may not listen yet when the page has just come. */
  #ask(tries) {
    if (this.isReady || tries > 40) return;
    try { this.send({ op: "show" }); } catch { /* NiceGUI's socket is not there yet */ }
    setTimeout(() => this.#ask(tries + 1), 250);
  }

  send(asked) {
    this.seq += 1;
    emitEvent("mw_workflow_edit", { ...asked, seq: this.seq });
  }

  typed(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.timer = null; this.send({ op: "text", text }); }, TYPING_MS);
  }

  /* Send what is still in the typing pause before anything else is asked. */
  flush() {
    if (!this.timer) return;
    clearTimeout(this.timer); this.timer = null;
    this.send({ op: "text", text: this.textView.text });
  }

  edit(asked) { this.flush(); this.send(asked); }

  put(place, value) { this.edit({ op: "put", place, value }); }

  hear(what, body) {
    if (what === "show" && this.isPressed) this.late = body;
    else if (what === "show") this.#show(body);
    if (what === "tell") this.#tell(body.words);
    if (what === "saved") this.#saved(body.name);
    if (what === "dry") this.dryRun.hear(body);
  }

  /* What came while a pointer was down: a control replaced under it would not hear its click. */
  #released() {
    const { late } = this;
    this.isPressed = false; this.late = null;
    if (late) this.#show(late);
  }

  #show(state) {
    this.isReady = true;
    const isLate = this.timer || (state.seq !== null && state.seq < this.seq);
    const draft = state.draft ?? this.state.draft;
    this.state = { ...state, draft, isBroken: !state.draft };
    if (!isLate) this.textView.show(state.text);
    this.textView.tell(state.problems);
    if (this.chosen !== null) this.textView.mark(this.#lines(this.chosen), { isQuiet: true });
    this.graph.show(); this.panel.show(); this.#paintBar();
    if (this.wantsDry && !isLate) { this.wantsDry = false; this.dryRun.ask(); } // its form is made from what was typed last
  }

  get steps() {
    const steps = this.state.draft?.data.steps;
    return Array.isArray(steps) ? steps.filter((each) => each && typeof each === "object" && !Array.isArray(each)) : [];
  }

  step(id) { return this.steps.find((each) => each.id === id); }

  choose(id, { isFocus = false } = {}) {
    this.chosen = id;
    if (id !== null) this.panel.tab = "step";
    this.graph.paint(); this.panel.show(); this.textView.mark(this.#lines(id));
    if (isFocus && id !== null) this.graph.focus(id);
  }

  /* First and last line of a step in the text. */
  #lines(id) {
    const index = this.steps.findIndex((each) => each.id === id), lines = this.state.draft?.lines ?? [];
    if (index < 0 || !lines[index]) return null;
    const later = lines.filter((each) => each > lines[index]);
    return [lines[index], later.length ? Math.min(...later) - 1 : Infinity];
  }

  problemsOf(prefix) {
    return this.state.problems.filter((each) => each.where === prefix || each.where.startsWith(`${prefix}.`) || each.where.startsWith(`${prefix}[`));
  }

  goTo(problem) {
    const found = /^(steps|triggers|inputs)[[.]([a-z0-9_]+)/.exec(problem.where);
    if (found?.[1] === "steps") this.choose(this.steps[Number(found[2])]?.id ?? null);
    else if (found) { this.panel.tab = found[1]; this.panel.show(); }
    this.textView.select(problem.line);
  }

  addStep() {
    const names = new Set(this.steps.map((each) => each.id));
    let number = this.steps.length + 1;
    while (names.has(`step_${number}`)) number += 1;
    const id = `step_${number}`, value = { id, do: "task" };
    if (this.chosen && names.has(this.chosen)) value.needs = [this.chosen];
    this.edit({ op: "append", name: "steps", value });
    this.chosen = id; this.panel.tab = "step"; this.wantsFocus = true;
  }

  removeStep(id) {
    this.edit({ op: "remove_step", id });
    if (this.chosen === id) this.chosen = null;
    this.#tell(`Step "${id}" is removed with what leads to it`, () => this.send({ op: "undo" }));
  }

  #bar() {
    const bar = make("div", "mw-we-bar", this), button = (words, act, title, looks = "") => {
      const made = make("button", `mw-button ${looks}`, bar, words);
      made.type = "button"; made.title = title; made.onclick = act;
      return made;
    };
    button("Add step", () => this.addStep(), "Behind the chosen step (n)");
    this.undo = button("Undo", () => this.edit({ op: "undo" }), "Ctrl Z");
    this.redo = button("Redo", () => this.edit({ op: "redo" }), "Ctrl Shift Z");
    this.word = make("span", "mw-we-word", bar);
    this.word.setAttribute("role", "status");
    button("Dry run", () => { this.wantsDry = true; this.edit({ op: "show" }); }, "What each step would do; nothing is sent");
    this.save = button("Save", () => this.edit({ op: "save" }), "Ctrl S", "mw-primary");
    this.note = make("div", "mw-we-note", this);
    this.note.hidden = true; this.note.setAttribute("role", "alert");
  }

  #paintBar() {
    const { state } = this, errors = state.problems.filter((each) => each.severity === "error").length;
    this.undo.disabled = !state.canUndo; this.redo.disabled = !state.canRedo;
    this.save.disabled = errors > 0 || (!state.dirty && state.name !== "");
    const saved = state.dirty ? "Changes not saved" : state.name ? "Saved" : "New";
    this.word.textContent = errors ? `${saved} · ${errors} ${errors === 1 ? "error" : "errors"}` : saved;
  }

  #tell(words, undo) {
    this.note.replaceChildren(); this.note.hidden = false;
    make("span", "", this.note, words);
    const button = (text, act) => {
      const made = make("button", "mw-button mw-small", this.note, text);
      made.type = "button"; made.onclick = () => { this.note.hidden = true; act(); };
    };
    if (undo) button("Undo", undo);
    button("Close", () => {});
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => { this.note.hidden = true; }, 12_000);
  }

  #saved(name) {
    this.note.hidden = true;
    const address = `/workflows/${name}/edit`;
    if (location.pathname !== address) history.replaceState(null, "", address);
    document.querySelector(".mw-title h1")?.lastChild?.replaceWith(`Edit “${this.state.draft?.data.title || name}”`);
  }

  #key(event) {
    const isWriting = event.target.closest("input:not([type=checkbox]), textarea"); // its own undo is meant
    const isTyping = isWriting || event.target.closest("select"), key = event.key.toLowerCase();
    const isCommand = event.ctrlKey || event.metaKey;
    const act = isCommand && key === "s" ? () => this.save.disabled || this.save.click()
      : isCommand && key === "z" && !isWriting ? () => this.edit({ op: event.shiftKey ? "redo" : "undo" })
      : !isCommand && key === "n" && !isTyping ? () => this.addStep() : null;
    if (act) { event.preventDefault(); event.stopPropagation(); act(); }
  }
}
customElements.define("mw-workflow-editor", WorkflowEditor);
