/* The TOML text with line numbers, and the list of problems below it. */
const { make } = Millwright;
const LINE_PX = 18;

export class TextView {
  constructor(editor, holder) {
    this.editor = editor;
    const head = make("div", "mw-card-title", holder);
    make("h2", "", head, "Text");
    make("span", "mw-hint", head, "TOML; graph, forms and text say the same");
    const box = make("div", "mw-we-code", holder);
    this.lines = make("div", "mw-we-numbers", box);
    this.area = make("textarea", "mw-we-area", box);
    Object.assign(this.area, { spellcheck: false, wrap: "off", ariaLabel: "Text of the workflow" });
    this.area.oninput = () => { this.#number(); this.editor.typed(this.area.value); };
    this.area.onblur = () => { this.editor.flush(); this.editor.send({ op: "pause" }); };
    this.area.onscroll = () => { this.lines.scrollTop = this.area.scrollTop; };
    this.list = make("ol", "mw-we-problems", holder);
    this.list.ariaLabel = "Problems";
    this.problems = [];
  }

  get text() { return this.area.value; }

  show(text) {
    if (this.area.value === text) return;
    const { selectionStart, selectionEnd, scrollTop } = this.area;
    this.area.value = text;
    if (document.activeElement === this.area) this.area.setSelectionRange(selectionStart, selectionEnd);
    this.area.scrollTop = scrollTop;
    this.#number();
  }

  tell(problems) {
    this.problems = problems;
    this.list.replaceChildren();
    if (!problems.length) make("li", "mw-hint", this.list, "No problems found.");
    for (const each of problems) {
      const item = make("li", "", this.list), button = make("button", `mw-we-problem mw-we-${each.severity}`, item);
      button.type = "button"; button.onclick = () => this.editor.goTo(each);
      make("b", "", button, each.severity === "error" ? "▲" : "◆").ariaLabel = each.severity;
      make("span", "mw-we-at", button, each.line ? `line ${each.line}` : "whole");
      make("span", "", button, each.hint ? `${each.message}. ${each.hint}` : each.message);
    }
    this.#number();
  }

  #number() {
    const wrong = new Map(this.problems.map((each) => [each.line, each])), count = this.area.value.split("\n").length;
    const [from, to] = this.marked ?? [0, 0];
    this.lines.replaceChildren();
    for (let line = 1; line <= count; line += 1) {
      const found = wrong.get(line), made = make("span", found ? `mw-we-${found.severity}` : "", this.lines, found ? `${found.severity === "error" ? "▲" : "◆"} ${line}` : String(line));
      if (found) made.title = found.message;
      if (line >= from && line <= to) made.classList.add("mw-we-here");
    }
    this.lines.scrollTop = this.area.scrollTop;
  }

  /* Mark the lines of the chosen step, and bring them into view. */
  mark(lines, { isQuiet = false } = {}) {
    this.marked = lines;
    this.#number();
    if (lines && !isQuiet && document.activeElement !== this.area) this.area.scrollTop = Math.max(0, (lines[0] - 3) * LINE_PX);
  }

  select(line) {
    if (!line) return;
    const before = this.area.value.split("\n").slice(0, line - 1), from = before.reduce((sum, each) => sum + each.length + 1, 0);
    const to = this.area.value.indexOf("\n", from);
    this.area.focus();
    this.area.setSelectionRange(from, to < 0 ? this.area.value.length : to);
    this.area.scrollTop = Math.max(0, (line - 4) * LINE_PX);
  }
}
