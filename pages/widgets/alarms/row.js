/* One row: made once, filled again for each alarm that scrolls into it. */
import { isHidden, priorityOf, waits } from "./store.js";
import { drawTrend } from "./trend.js";

const { make, put, symbol, number, unit, ageWords, statedBy } = Millwright;

export const WORDS = {
  normal: "gone", unack: "not acknowledged", ack: "acknowledged", rtn_unack: "gone, not acknowledged",
  latched: "latched", shelved: "shelved", suppressed_by_design: "suppressed by design", out_of_service: "out of service",
};

/* Times in the plant's zone, with the day where it is not today. A formatter costs more to make
   than a row to draw, so they are made once. */
const formats = new Map();
function format(ms, name, options) {
  if (!formats.has(name)) {
    const timeZone = document.getElementById("mw-clock")?.dataset.zone || "UTC";
    formats.set(name, new Intl.DateTimeFormat("en-GB", { timeZone, ...options }));
  }
  return formats.get(name).format(ms);
}
const day = (ms) => format(ms, "day", { day: "2-digit", month: "short" });
const time = (ms) => format(ms, "time", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const minute = (ms) => format(ms, "minute", { hour: "2-digit", minute: "2-digit" });
let today = { words: "", at: -Infinity };
function todayWords() {
  if (performance.now() - today.at > 10e3) today = { words: day(Millwright.live.now()), at: performance.now() };
  return today.words;
}
function dated(ms, words) {
  const of = day(ms);
  return of === todayWords() ? words : `${of} ${words}`;
}
export const when = (ms) => dated(ms, time(ms));
export const ageOf = (iso) => ageWords(Math.max(0, (Millwright.live.now() - Date.parse(iso)) / 1000));

/* Digits that suit the size of a value: 92.1, 0.034, 1450. */
export function figure(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  return number(value, size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function unitOf(alarm, units) {
  const path = alarm.finding.equipment, unitPath = path.split("/").slice(0, 4).join("/");
  const known = units[unitPath];
  return { path: unitPath, known, name: known?.name ?? unitPath.split("/").pop().replaceAll("_", " "), area: path.split("/").slice(0, 2).join(" / ") };
}

/* The tag whose line tells most: the limit's own, else of the unit's tags one in the finding's unit,
   one that the agent is named for, one that the evidence names, or the first. `fits`: the finding's
   value and limit are of this tag's kind. */
export function tagOf(alarm, units) {
  const { finding } = alarm, path = finding.equipment;
  if (path.split("/").length === 5) return { path, fits: true };
  const { path: unitPath, known } = unitOf(alarm, units);
  if (!known?.tags.length) return { path: "", fits: false };
  const named = Object.keys(finding.evidence ?? {});
  const sameUnit = finding.unit && known.tags.find(([, code]) => code === finding.unit);
  const tag = sameUnit || known.tags.find(([name]) => name.startsWith(finding.agent)) ||
    known.tags.find(([name]) => named.some((key) => key === name || key.startsWith(`${name}_`))) || known.tags[0];
  return { path: `${unitPath}/${tag[0]}`, fits: Boolean(sameUnit) };
}

/* What operators call a tag. */
export function tagWords(path, units) {
  const at = path.lastIndexOf("/"), name = path.slice(at + 1);
  return units[path.slice(0, at)]?.tags.find(([each]) => each === name)?.[2] ?? name.replaceAll("_", " ");
}

export class Row {
  constructor(parent, table) {
    this.table = table;
    this.box = make("div", "mw-ar", parent);
    this.box.setAttribute("role", "row");
    this.mark = make("label", "mw-ar-mark", this.box);
    this.check = make("input", "", this.mark);
    this.check.type = "checkbox"; this.check.ariaLabel = "Select this alarm";
    this.check.tabIndex = -1;
    this.symbol = make("span", "mw-ar-symbol", this.box);
    [this.time, this.age] = this.pair("mw-ar-time");
    const where = make("span", "mw-ar-pair mw-ar-unit", this.box);
    this.unit = make("a", "mw-ar-main", where);
    this.area = make("span", "mw-ar-sub", where);
    [this.text, this.condition] = this.pair("mw-ar-text");
    [this.value, this.limit] = this.pair("mw-ar-value");
    this.canvas = make("canvas", "mw-ar-trend", this.box);
    this.todo = make("span", "mw-ar-todo", this.box);
    [this.state, this.who] = this.pair("mw-ar-state");
    this.head = make("span", "mw-ar-head", this.box);
    this.box.onclick = (event) => table.clicked(this.index, event);
    this.check.onclick = (event) => { event.stopPropagation(); table.toggle(this.index); };
    this.mark.onclick = (event) => event.stopPropagation();
  }
  pair(classes) {
    const box = make("span", `mw-ar-pair ${classes}`, this.box);
    return [make("span", "mw-ar-main", box), make("span", "mw-ar-sub", box)];
  }

  fill(index, alarm, isChosen, isMarked) {
    this.index = index;
    this.box.style.transform = `translateY(${index * this.table.rowHeight}px)`;
    this.box.hidden = false;
    this.box.ariaRowIndex = String(index + 1);
    const kind = alarm === null ? "bone" : alarm === "heading" ? "heading" : "alarm";
    if (this.box.dataset.kind !== kind) this.box.dataset.kind = kind;
    if (kind === "heading") put(this.head, this.table.headingWords());
    if (kind !== "alarm") { delete this.box.dataset.alarmId; this.box.ariaSelected = null; this.shown = null; return; }
    this.box.ariaSelected = String(isChosen);
    this.box.classList.toggle("mw-marked", isMarked);
    this.check.checked = isMarked;
    const fresh = this.shown !== alarm || this.at !== index;
    this.shown = alarm; this.at = index;
    this.tick(alarm);
    if (fresh) this.paint(alarm);
  }
  paint(alarm) {
    const { finding } = alarm, priority = priorityOf(alarm), place = unitOf(alarm, this.table.units);
    this.box.dataset.alarmId = alarm.isOver ? "" : alarm.id;
    if (alarm.isOver) delete this.box.dataset.alarmId;
    this.check.disabled = Boolean(alarm.isOver);
    this.box.className = `mw-ar mw-p${priority}${waits(alarm) && !alarm.isOver ? " mw-waits" : ""}${alarm.isOver || isHidden(alarm) ? " mw-calm" : ""}${this.box.classList.contains("mw-marked") ? " mw-marked" : ""}`;
    const isQuiet = Boolean(alarm.isOver) || isHidden(alarm);
    const key = `${priority}${!alarm.isOver && waits(alarm) && !alarm.chattering}${isQuiet}`;
    if (this.symbol.dataset.key !== key) {
      this.symbol.dataset.key = key;
      this.symbol.innerHTML = symbol(priority, !alarm.isOver && waits(alarm) && !alarm.chattering);
      this.symbol.firstChild.classList.toggle("mw-quiet", isQuiet);
    }
    put(this.time, when(Date.parse(alarm.raised_at)));
    putWhole(this.unit, place.name); put(this.area, place.area);
    if (place.known) this.unit.href = `/units/${place.path}`; else this.unit.removeAttribute("href");
    put(this.text, finding.message || finding.condition.replaceAll("_", " "));
    this.text.title = this.text.textContent;
    const more = [finding.agent === "limits" ? "" : statedBy(finding.agent),
      finding.probability === undefined ? "" : `${Math.round(finding.probability * 100)} % likely`,
      alarm.count > 1 && !alarm.isOver ? `${alarm.count} times` : "", alarm.chattering ? "chattering" : ""];
    put(this.condition, more.filter(Boolean).join(" · "));
    const words = finding.value === undefined ? "" : `${figure(finding.value)} ${unit(finding.unit) ?? ""}`;
    put(this.value, words);
    put(this.limit, finding.limit === undefined ? "" : `limit ${figure(finding.limit)}`);
    put(this.todo, firstSentence(finding.response || ""));
    this.todo.title = finding.response || "";
    drawTrend(this.canvas, alarm, tagOf(alarm, this.table.units), this.table.trendSize);
    this.paintState(alarm);
  }
  paintState(alarm) {
    const until = alarm.shelved_until ? ` until ${minute(Date.parse(alarm.shelved_until))}` : "";
    put(this.state, alarm.isOver ? "over" : WORDS[alarm.state] + until);
    const who = alarm.acknowledged_by ? `by ${alarm.acknowledged_by} ${dated(Date.parse(alarm.acknowledged_at), minute(Date.parse(alarm.acknowledged_at)))}` : "";
    put(this.who, alarm.note && !alarm.isOver ? [who, alarm.note].filter(Boolean).join(" · ") : who);
    this.who.title = this.who.textContent;
  }
  tick(alarm) {
    const isGone = alarm.returned_at && !alarm.active;
    put(this.age, isGone && alarm.isOver ? `for ${lasted(alarm)}` : ageOf(alarm.raised_at));
  }
}

// "P-101" stays on one line
function putWhole(node, text) {
  if (node.textContent === text) return;
  node.replaceChildren(...text.split(/(\S*-\S*)/).filter(Boolean).map((part) => part.includes("-") ? make("span", "mw-whole", null, part) : part));
}
// a row has room for one; the details have all of it
function firstSentence(text) { return text.match(/^.+?[.!?](?=\s|$)/)?.[0] ?? text; }
function lasted(alarm) {
  return ageWords(Math.max(0, (Date.parse(alarm.returned_at) - Date.parse(alarm.raised_at)) / 1000));
}
