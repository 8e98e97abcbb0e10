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

  function parts(ms) {
    return Object.fromEntries(
      new Intl.DateTimeFormat("en-GB", { timeZone: name(), year: "numeric", month: "2-digit", day: "2-digit", hourCycle: "h23", ...second })
        .formatToParts(ms).map((part) => [part.type, part.value]));
  }
  // "2026-11-21 14:02:11" as the plant's wall clock shows it.
  function wall(ms) {
    const { year, month, day: date, hour, minute: minutes, second: seconds } = parts(ms);
    return `${year}-${month}-${date} ${hour}:${minutes}:${seconds}`;
  }
  const asUtc = (ms) => Date.parse(`${wall(ms).replace(" ", "T")}Z`);
  const offset = (ms) => asUtc(ms) - Math.floor(ms / 1000) * 1000;

  // The instant at which the plant's clock shows these figures; NaN if no calendar has them.
  function instant(year, month, date, hour, minutes, seconds) {
    const shown = Date.UTC(year, month - 1, date, hour, minutes, seconds);
    const back = new Date(shown);
    if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== date || hour > 23 || minutes > 59 || seconds > 59) return NaN;
    const guess = shown - offset(shown);
    return shown - offset(guess);   // the second look is right across a change of the clock
  }

  const FORMS = [   // a day written either way, a time or both; a time alone means the day of `now`
    /^(?<year>\d{4})-(?<month>\d\d?)-(?<date>\d\d?)(?:[ T]+(?<hour>\d\d?):(?<minutes>\d\d)(?::(?<seconds>\d\d))?)?$/,
    /^(?<date>\d\d?)\.(?<month>\d\d?)\.(?<year>\d{4})(?: +(?<hour>\d\d?):(?<minutes>\d\d)(?::(?<seconds>\d\d))?)?$/,
    /^(?<hour>\d\d?):(?<minutes>\d\d)(?::(?<seconds>\d\d))?$/,
  ];
  // What a person typed as an instant; NaN if it is no time.
  function parse(text, now) {
    const found = FORMS.map((form) => form.exec(text.trim())).find(Boolean)?.groups;
    if (!found) return NaN;
    const today = parts(now), figure = (key, otherwise) => Number(found[key] ?? otherwise);
    return instant(figure("year", today.year), figure("month", today.month), figure("date", today.day), figure("hour", 0), figure("minutes", 0), figure("seconds", 0));
  }

  // "21 Nov 23:11 – 22 Nov 00:11"; the second day is left out where it is the first.
  function span(from, to) {
    const clock = to - from < 600e3 ? second : minute, days = [from, to].map((ms) => format(ms, day));
    return `${days[0]} ${format(from, clock)} \u2013 ${days[0] === days[1] ? "" : `${days[1]} `}${format(to, clock)}`;
  }
  const short = (ms) => new Intl.DateTimeFormat("en-GB", { timeZone: name(), timeZoneName: "short" }).formatToParts(ms).find((part) => part.type === "timeZoneName").value;

  Millwright.zone = { name, short, stamp, tick, wall, parse, instant, parts, span };
})();
