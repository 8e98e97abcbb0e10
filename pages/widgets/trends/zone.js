/* Times in the plant's zone, whatever zone the browser stands in. All instants are ms since 1970 UTC. */
(() => {
  "use strict";
  const name = () => document.getElementById("mw-clock")?.dataset.zone || "UTC";
  const formats = new Map();

  function format(ms, options) {
    const key = JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: name(), ...options }));
    return formats.get(key).format(ms);
  }
  const day = { day: "2-digit", month: "short" };
  const minute = { hour: "2-digit", minute: "2-digit" };
  const second = { ...minute, second: "2-digit" };

  const stamp = (ms) => `${format(ms, { ...day, year: "numeric" })} ${format(ms, second)}`;

  // A tick of the time axis: the date where a day begins or where ticks are days apart.
  function tick(ms, stepS) {
    if (stepS >= 86400) return format(ms, day);
    const time = format(ms, stepS >= 60 ? minute : second);
    return time.startsWith("00:00") && stepS >= 3600 ? format(ms, day) : time;
  }

  // "2026-11-21T14:02:11" as the plant's wall clock shows it, for <input type=datetime-local>.
  function toInput(ms) {
    const parts = Object.fromEntries(
      new Intl.DateTimeFormat("en-GB", { timeZone: name(), year: "numeric", month: "2-digit", day: "2-digit", hourCycle: "h23", ...second })
        .formatToParts(ms).map((part) => [part.type, part.value]));
    return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
  }
  const offset = (ms) => Date.parse(`${toInput(ms)}Z`) - Math.floor(ms / 1000) * 1000;

  // The instant at which the plant's clock shows `text`; NaN if it is no time.
  function fromInput(text) {
    const wall = Date.parse(`${text}Z`);
    if (Number.isNaN(wall)) return NaN;
    const guess = wall - offset(wall);
    return wall - offset(guess);   // the second look is right across a change of the clock
  }

  Millwright.zone = { name, stamp, tick, toInput, fromInput };
})();
