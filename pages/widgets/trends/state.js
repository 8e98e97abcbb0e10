/* What the page shows, as it stands in the address: shareable, and the browser's Back undoes a zoom.
 *
 * ?tags=a/b/c/d/e,…  pens, at most 8      &hide=1,3     pens drawn not, by place
 * &range=3600        live, seconds        &from=&to=    or fixed, UTC
 * &compare=86400     same pens that many seconds earlier, dashed
 * &band=0            without the band of least and greatest values
 */
(() => {
  "use strict";
  const MAX_PENS = 8, DEFAULT_S = 3600, MIN_SPAN_MS = 2000, MAX_SPAN_MS = 366 * 86400e3;

  function read(search) {
    const query = new URLSearchParams(search);
    const listed = (key) => (query.get(key) ?? "").split(",").filter(Boolean);
    const from = Date.parse(query.get("from")), to = Date.parse(query.get("to"));
    const isFixed = to - from >= MIN_SPAN_MS;
    const range = Number(query.get("range"));
    return {
      tags: [...new Set(listed("tags"))].slice(0, MAX_PENS),
      hidden: new Set(listed("hide").map(Number)),
      live: !isFixed,
      spanS: range > 0 ? Math.min(range, MAX_SPAN_MS / 1000) : DEFAULT_S,
      from: isFixed ? from : 0,
      to: isFixed ? to : 0,
      compareS: Math.max(0, Number(query.get("compare")) || 0),
      band: query.get("band") !== "0",
    };
  }

  function write(state) {
    const query = new URLSearchParams();
    if (state.tags.length) query.set("tags", state.tags.join(","));
    if (state.hidden.size) query.set("hide", [...state.hidden].sort().join(","));
    if (state.live) query.set("range", String(state.spanS));
    else {
      query.set("from", new Date(state.from).toISOString());
      query.set("to", new Date(state.to).toISOString());
    }
    if (state.compareS) query.set("compare", String(state.compareS));
    if (!state.band) query.set("band", "0");
    return "?" + query.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":");
  }

  // The range shown now, ms.
  function range(state) {
    if (!state.live) return { from: state.from, to: state.to };
    const to = Millwright.live.now();
    return { from: to - state.spanS * 1000, to };
  }

  function clamp(from, to) {
    const span = Math.min(Math.max(to - from, MIN_SPAN_MS), MAX_SPAN_MS), middle = (from + to) / 2;
    return { from: Math.round(middle - span / 2), to: Math.round(middle + span / 2) };
  }

  Millwright.trendState = { MAX_PENS, read, write, range, clamp };
})();
