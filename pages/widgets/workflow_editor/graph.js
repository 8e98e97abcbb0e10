/* The steps as plates from left to right; drag from a plate's right edge to connect. */
const { make } = Millwright;
const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 184, HEIGHT = 84, GAP_X = 52, GAP_Y = 24, PAD = 12, TRACK = 7;
const WORDS = { task: "task", publish: "message", notify: "notification", http: "HTTP call", wait: "wait", approve: "decision", command: "command", workflow: "workflow" };
const DRY_WORDS = { done: "would be done", skipped: "would be skipped", failed: "would fail", cancelled: "would not be reached", pending: "would not be reached", waiting: "would wait", running: "would wait" };
/* The shapes tell actions apart without colour. */
const SHAPES = {
  task: "M3 5h14v10H3z", publish: "M2 10h12M10 5l5 5-5 5", notify: "M5 13V9a5 5 0 0 1 10 0v4l2 2H3zM8 17h4",
  http: "M2 10h16M10 2c5 5 5 11 0 16M10 2c-5 5-5 11 0 16", wait: "M10 4v6l4 3M10 2a8 8 0 1 0 .1 0",
  approve: "M6 11V5m0 0a1 1 0 0 1 2 0v5-6a1 1 0 0 1 2 0v6-5a1 1 0 0 1 2 0v6-3a1 1 0 0 1 2 0v5a5 5 0 0 1-9 2l-2-4",
  command: "M10 2v8M5 5a7 7 0 1 0 10 0", workflow: "M2 4h6v5H2zM12 11h6v5h-6zM5 9v5h7",
};

const svg = (name, parent, attributes) => {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
};

export class Graph {
  constructor(editor, holder) {
    this.editor = editor;
    const head = make("div", "mw-card-title", holder);
    make("h2", "", head, "Steps");
    make("span", "mw-hint mw-we-help", head, "Drag from a plate’s right edge to the step that follows");
    this.scroll = make("div", "mw-we-scroll", holder);
    this.scroll.setAttribute("role", "group"); this.scroll.ariaLabel = "Steps of the workflow";
    this.plane = make("div", "mw-we-plane", this.scroll);
    this.edge = null;
  }

  show() {
    const { editor } = this, grid = editor.state.draft?.grid ?? [];
    this.spots = new Map();
    editor.steps.forEach((step, index) => {
      const [column, row] = grid[index] ?? [0, index];
      this.spots.set(step, { x: PAD + column * (WIDTH + GAP_X), y: PAD + row * (HEIGHT + GAP_Y), column, row });
    });
    const focused = document.activeElement?.closest?.(".mw-we-node")?.dataset.step;
    this.paint();
    if (editor.wantsFocus && editor.step(editor.chosen)) { editor.wantsFocus = false; this.focus(editor.chosen); }
    else if (focused) this.focus(focused);
  }

  focus(id) {
    const plate = this.plane.querySelector(`[data-step="${CSS.escape(id)}"]`);
    plate?.focus({ preventScroll: true });
    plate?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  paint() {
    const { editor } = this;
    this.plane.replaceChildren();
    const spots = [...(this.spots?.values() ?? [])], far = (key, size) => Math.max(0, ...spots.map((each) => each[key])) + size + PAD;
    const hasLoops = editor.steps.some((step) => step.goto || this.#leadsBack(step, this.#handler(step)));
    this.width = far("x", WIDTH); this.height = far("y", HEIGHT) + (hasLoops ? 40 : 8);
    this.plane.style.width = `${this.width}px`; this.plane.style.height = `${this.height}px`;
    this.plane.classList.toggle("mw-we-stale", Boolean(editor.state.isBroken));
    if (!editor.steps.length) { make("p", "mw-hint", this.plane, "No steps yet. “Add step” puts the first one here."); return; }
    this.lines = svg("svg", this.plane, { class: "mw-we-lines", width: this.width, height: this.height });
    this.#head();
    for (const [step, spot] of this.spots) this.#edges(step, spot);
    this.lines.addEventListener("click", () => this.#chooseEdge(null));
    editor.steps.forEach((step, index) => this.#plate(step, index));
    this.#cutter();
  }

  #head() {
    const marker = svg("marker", svg("defs", this.lines, {}), { id: "mw-we-arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
    svg("path", marker, { d: "M0 0.5 7 4 0 7.5z" });
  }

  #edges(step, spot) {
    const of = (id) => this.editor.step(id), needs = Array.isArray(step.needs) ? step.needs : [];
    for (const need of needs) if (of(need)) this.#edge(of(need), step, "needs");
    const handler = this.#handler(step);
    if (handler) this.#edge(step, handler, "error");
    const back = step.goto && of(step.goto.step);
    if (back) this.#loop(spot, this.spots.get(back), step.goto);
  }

  #handler(step) { return String(step.on_error ?? "").startsWith("goto:") ? this.editor.step(step.on_error.slice(5)) : null; }
  #leadsBack(source, target) { return Boolean(target) && this.spots.get(target)?.column <= this.spots.get(source)?.column; }

  #edge(source, target, kind) {
    const from = this.spots.get(source), to = this.spots.get(target);
    const x1 = from.x + WIDTH, y1 = from.y + HEIGHT / 2, x2 = to.x - 1, y2 = to.y + HEIGHT / 2;
    const isBack = kind === "error" && this.#leadsBack(source, target);
    const path = isBack ? this.#way(from, to) : this.#path(from, to, this.#isMerging(source, target));
    const key = `${source.id}>${target.id}`, isChosen = this.edge?.key === key;
    svg("path", this.lines, { class: `mw-we-edge mw-we-${kind}${isChosen ? " mw-we-on" : ""}`, d: path, "marker-end": "url(#mw-we-arrow)" });
    const wide = svg("path", this.lines, { class: "mw-we-grip", d: path });
    svg("title", wide, {}).textContent = kind === "error" ? `An error of ${source.id} leads to ${target.id}` : `${target.id} needs ${source.id}`;
    wide.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#chooseEdge({ key, from: source.id, to: target.id, x: (x1 + x2) / 2, y: isBack ? this.height - 14 : (y1 + y2) / 2 });
    });
  }

  /* Many edges end at the target, more than leave the source. */
  #isMerging(source, target) {
    const needs = (step) => Array.isArray(step.needs) ? step.needs : [];
    return needs(target).length > this.editor.steps.filter((step) => needs(step).includes(source.id)).length;
  }

  /* Past other plates along a row that is free: the target's, else the source's; else between two rows (app/core/graph_layout.py). */
  #path(from, to, isMerging) {
    const x1 = from.x + WIDTH, y1 = from.y + HEIGHT / 2, x2 = to.x - 1, y2 = to.y + HEIGHT / 2, half = GAP_X / 2;
    const isFree = (row) => ![...this.spots.values()].some((each) => each.row === row && each.column > from.column && each.column < to.column);
    const curve = (xa, ya, xb, yb) => `C${xa + half} ${ya} ${xb - half} ${yb} ${xb} ${yb}`;
    if (to.column - from.column > 1 && isFree(to.row)) return `M${x1} ${y1}${curve(x1, y1, x1 + GAP_X, y2)}H${x2}`;
    if (to.column - from.column > 1 && isFree(from.row)) return `M${x1} ${y1}H${x2 - GAP_X}${curve(x2 - GAP_X, y1, x2, y2)}`;
    if (to.column - from.column > 1) {
      const lane = isMerging ? from.y + HEIGHT + TRACK : to.y - TRACK;
      return `M${x1} ${y1}${curve(x1, y1, x1 + GAP_X, lane)}H${x2 - GAP_X}${curve(x2 - GAP_X, lane, x2, y2)}`;
    }
    const bend = Math.max(half, Math.abs(x2 - x1) / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }

  #loop(from, to, jump) {
    svg("path", this.lines, { class: "mw-we-edge mw-we-back", d: this.#way(from, to), "marker-end": "url(#mw-we-arrow)" });
    svg("text", this.lines, { x: (from.x + to.x + WIDTH) / 2, y: this.height - 18 }).textContent = `up to ${jump.max ?? 10} times`;
  }

  /* Back to an earlier step, below all plates. */
  #way(from, to) {
    const x1 = from.x + (WIDTH * 2) / 3, x2 = to.x + WIDTH / 3, floor = this.height - 14;
    const isLowest = (spot) => ![...this.spots.values()].some((each) => each.column === spot.column && each.row > spot.row);
    const down = isLowest(from) ? `C${x1} ${floor} ${x1} ${floor} ${x1 - 16} ${floor}` : `v${GAP_Y / 2}H${from.x + WIDTH + TRACK}V${floor}`;
    const up = isLowest(to) ? `C${x2} ${floor} ${x2} ${floor} ${x2} ${to.y + HEIGHT + 2}` : `H${to.x - TRACK}V${to.y + HEIGHT + GAP_Y / 2}H${x2}v${2 - GAP_Y / 2}`;
    return `M${x1} ${from.y + HEIGHT}${down}H${x2 + 16}${up}`;
  }

  #chooseEdge(edge) { this.edge = edge; this.paint(); this.plane.querySelector(".mw-we-cut")?.focus(); }

  #cutter() {
    const { edge } = this;
    if (!edge || !this.editor.step(edge.from) || !this.editor.step(edge.to)) { this.edge = null; return; }
    const button = make("button", "mw-we-cut", this.plane, "×");
    button.type = "button"; button.title = `Disconnect ${edge.from} and ${edge.to}`; button.ariaLabel = button.title;
    button.style.left = `${edge.x - 12}px`; button.style.top = `${edge.y - 12}px`;
    button.onclick = () => { this.edge = null; this.editor.edit({ op: "disconnect", from: edge.from, to: edge.to }); };
    button.onkeydown = (event) => { if (event.key === "Delete") button.click(); if (event.key === "Escape") this.#chooseEdge(null); };
  }

  #plate(step, index) {
    const { editor } = this, spot = this.spots.get(step), problems = editor.problemsOf(`steps[${index}]`);
    const plate = make("button", "mw-we-node", this.plane), dry = editor.results[step.id];
    plate.type = "button"; plate.dataset.step = step.id ?? "";
    plate.style.left = `${spot.x}px`; plate.style.top = `${spot.y}px`;
    plate.ariaPressed = String(editor.chosen === step.id);
    const title = make("span", "mw-we-name", plate), shape = svg("svg", title, { viewBox: "0 0 20 20", class: "mw-we-shape", "aria-hidden": "true" });
    svg("path", shape, { d: SHAPES[step.do] ?? SHAPES.task });
    make("b", "", title, String(step.title || step.id || "no id"));
    make("span", "mw-we-what", plate, `${WORDS[step.do] ?? "no action"} ${String(step.with?.capability ?? step.with?.tag ?? step.with?.topic ?? step.with?.name ?? "")}`.trim());
    const last = make("span", "mw-we-what", plate, dry ? DRY_WORDS[dry.state] ?? dry.state : step.for_each ? "for each" : step.when ? `if ${step.when}` : "");
    if (problems.length) {
      const worst = problems.some((each) => each.severity === "error") ? "error" : "warning";
      plate.classList.add(`mw-we-${worst}-node`);
      last.textContent = `${worst === "error" ? "▲" : "◆"} ${problems.length === 1 ? problems[0].message : `${problems.length} problems`}`;
    }
    if (dry) plate.classList.add(`mw-we-dry-${dry.state}`);
    plate.title = problems.map((each) => each.message).join("\n") || String(step.title || step.id);
    plate.onclick = () => editor.choose(step.id ?? null, { isFocus: true });
    plate.onkeydown = (event) => this.#key(event, step, spot);
    const port = make("span", "mw-we-port", plate);
    port.title = "Drag to the step that follows"; port.onclick = (event) => event.stopPropagation();
    port.onpointerdown = (event) => this.#drag(event, step, spot);
  }

  #key(event, step, spot) {
    if (event.key === "Delete") { event.preventDefault(); this.editor.removeStep(step.id); return; }
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const ahead = [...this.spots].filter(([, at]) => (at.column - spot.column) * way[0] + (at.row - spot.row) * way[1] > 0)
      .map(([each, at]) => [Math.abs(at.column - spot.column) * (way[0] ? 1 : 3) + Math.abs(at.row - spot.row) * (way[1] ? 1 : 3), each]);
    ahead.sort((one, other) => one[0] - other[0]);
    if (ahead.length) this.editor.choose(ahead[0][1].id, { isFocus: true });
  }

  #drag(event, step, spot) {
    event.preventDefault(); event.stopPropagation();
    const x1 = spot.x + WIDTH, y1 = spot.y + HEIGHT / 2, line = svg("path", this.lines, { class: "mw-we-edge mw-we-drag" });
    const at = (move) => {
      const box = this.plane.getBoundingClientRect();
      line.setAttribute("d", `M${x1} ${y1}L${move.clientX - box.left} ${move.clientY - box.top}`);
    };
    const end = (up) => {
      removeEventListener("pointermove", at); removeEventListener("pointerup", end); line.remove();
      const target = document.elementFromPoint(up.clientX, up.clientY)?.closest?.(".mw-we-node")?.dataset.step;
      if (target && target !== step.id) this.editor.edit({ op: "connect", from: step.id, to: target });
    };
    addEventListener("pointermove", at); addEventListener("pointerup", end);
  }
}
