/* The line in an alarm's row: thirty minutes of its tag with the moment of the alarm marked. */
const BEFORE_MS = 20 * 60e3, AFTER_MS = 10 * 60e3;
const POINTS = 90, KEPT = 400, AT_ONCE = 3, FRESH_MS = 30e3;
const cache = new Map();       // key -> {at, points, from, to} or a promise's place
const queue = [];
let running = 0;

/* The window shown: the moment, with what came before and, so far, after. */
function range(alarm) {
  const raised = Date.parse(alarm.raised_at), to = Math.min(raised + AFTER_MS, Millwright.live.now());
  return { raised, from: raised - BEFORE_MS, to: Math.max(to, raised + 60e3) };
}

/* Draw now if known, else when it has been read and the canvas still shows the same alarm. */
export function drawTrend(canvas, alarm, { path, fits }, size) {
  const key = `${alarm.id}${alarm.raised_at}`;
  if (canvas.dataset.key !== key) clear(canvas);
  canvas.dataset.key = path ? key : "";
  if (!path || !size.width) return;
  const known = cache.get(key);
  if (known) paint(canvas, known, alarm, size, fits);
  const isGrowing = known && known.to - known.raised < AFTER_MS - 1000;
  if (known && !(isGrowing && performance.now() - known.at > FRESH_MS)) return;
  const waiting = queue.findIndex((each) => each.canvas === canvas);
  if (waiting >= 0) queue.splice(waiting, 1);
  queue.push({ canvas, alarm, path, fits, key, size });
  setTimeout(next, 150);       // rows that fly by are not asked for
}

async function next() {
  if (running >= AT_ONCE || !queue.length) return;
  const { canvas, alarm, path, fits, key, size } = queue.pop();
  if (canvas.dataset.key !== key || !canvas.isConnected) { next(); return; }
  running += 1;
  try {
    const shown = range(alarm);
    const query = new URLSearchParams({ start: new Date(shown.from).toISOString(), end: new Date(shown.to).toISOString(), points: POINTS });
    const answer = await Millwright.ask(`/api/tags/${path}/history?${query}`);
    if (!answer.ok && answer.status !== 404) throw new Error(`the server answered ${answer.status}`);
    const points = answer.ok ? (await answer.json()).points : [];
    cache.set(key, { ...shown, at: performance.now(), points: points.map((p) => [Date.parse(p.t), p.q === "bad" ? null : p.v]) });
    if (cache.size > KEPT) cache.delete(cache.keys().next().value);
  } catch {
    // the server is away or cannot read; the page says so, and the row asks again when it is drawn again
  } finally {
    running -= 1;
  }
  const known = cache.get(key);
  if (known && canvas.dataset.key === key) paint(canvas, known, alarm, size, fits);
  next();
}

function clear(canvas) {
  if (canvas.dataset.key) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

function paint(canvas, { raised, from, points }, alarm, { width, height, style }, fits) {
  const ratio = devicePixelRatio || 1, pen = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const good = points.filter((p) => p[1] !== null);
  const x = (t) => 1 + (width - 2) * (t - from) / (BEFORE_MS + AFTER_MS);
  pen.strokeStyle = style.priorities[alarm.finding.priority ?? 4]; pen.lineWidth = 1;
  pen.beginPath(); pen.moveTo(x(raised), 0); pen.lineTo(x(raised), height); pen.stroke();
  if (!good.length) return;
  const limit = fits ? alarm.finding.limit : undefined;
  let low = Infinity, high = -Infinity;
  for (const [, v] of good) { low = Math.min(low, v); high = Math.max(high, v); }
  if (limit !== undefined && limit !== null) { low = Math.min(low, limit); high = Math.max(high, limit); }
  const room = Math.max(high - low, Math.abs(high) * 0.01, 1e-9);
  const y = (v) => height - 3 - (height - 6) * (v - low) / room;
  if (limit !== undefined && limit !== null) {
    pen.strokeStyle = style.limit; pen.setLineDash([3, 3]);
    pen.beginPath(); pen.moveTo(0, y(limit)); pen.lineTo(width, y(limit)); pen.stroke(); pen.setLineDash([]);
  }
  pen.strokeStyle = style.trace; pen.lineWidth = 1.25;
  pen.beginPath();
  let isDown = false;
  for (const [t, v] of points) {
    if (v === null) { isDown = false; continue; }
    if (isDown) pen.lineTo(x(t), y(v)); else pen.moveTo(x(t), y(v));
    isDown = true;
  }
  pen.stroke();
}
