/* Histories from the server, each pen's and its comparison's, and the alarms raised meanwhile. */
(() => {
  "use strict";
  const MAX_POINTS = 4000, MIN_POINTS = 200;

  async function get(path, query, signal) {
    const answer = await Millwright.ask(`${path}?${new URLSearchParams(query)}`, { signal });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(body.message ?? `HTTP ${answer.status}`), { status: answer.status });
    return body;
  }
  const iso = (ms) => new Date(ms).toISOString();

  // A trace: columns of one tag between two instants, moved later by `shiftMs`.
  async function trace(path, from, to, shiftMs, widthPx, signal) {
    const points = Math.min(MAX_POINTS, Math.max(MIN_POINTS, Math.round(widthPx)));
    const body = await get(`/api/tags/${path}/history`, { start: iso(from - shiftMs), end: iso(to - shiftMs), points }, signal);
    const made = { times: [], values: [], low: [], high: [], qualities: [], isThinned: false };
    for (const point of body.points) {
      made.times.push((Date.parse(point.t) + shiftMs) / 1000);
      made.values.push(point.v);
      made.low.push(point.min);
      made.high.push(point.max);
      made.qualities.push(point.gap ? "gap" : point.q);
      if (point.min !== point.max) made.isThinned = true;
    }
    return made;
  }

  // Put a value that came live behind the others, and forget what is out of sight.
  function append(made, timeS, value, quality, fromS) {
    const last = made.times.length - 1;
    if (last >= 0 && timeS <= made.times[last]) return;
    made.times.push(timeS);
    for (const column of [made.values, made.low, made.high]) column.push(value);
    made.qualities.push(quality);
    let gone = 0;
    while (gone < made.times.length - 1 && made.times[gone + 1] < fromS) gone += 1;
    if (gone > 50) for (const column of [made.times, made.values, made.low, made.high, made.qualities]) column.splice(0, gone);
  }

  // Index of the last point at or before a time, -1 before the first.
  function at(made, timeS) {
    let low = 0, high = made.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (made.times[middle] <= timeS) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  Millwright.trendHistory = { get, trace, append, at, iso };
})();
