/* The one socket of a browser tab: values, alarms, status, history, search.
 *
 * Millwright.live.subscribe(path, paint, data?) -> function that ends it
 *   paint(state) once a screen refresh after changes; data(state) for every value, at once.
 *   state: {path, meta, value, quality: "g"|"u"|"b", reason, at, timeMs}; age in seconds by age(state).
 * Millwright.live.history(path, seconds, points) -> Promise<{times, values}> (ms, null = gap)
 * Millwright.live.find(text) -> Promise<[{kind, path, label}]>
 * Millwright.live.onAlarms/onStatus/onLink(call) -> called with the latest at once and on change
 * Millwright.ask(address, options) -> fetch, asking again while the server says that it is starting
 * Millwright.alarms: all alarms that are not normal, by id; worst(prefix) sums those below a path;
 *   sentence(equipment, message) -> "Cooling pump P-101: outer race defect"
 */
(() => {
  "use strict";
  const SILENCE_MS = 3000;          // no message for so long: everything on the page is old
  const RECONNECT_MAX_MS = 4000;    // a page must be live within 10 s of a server's restart
  const RESUBSCRIBE_MS = 60;        // gather the tags of a page into one request
  const READ_AGAIN_MS = 3000;
  const CHUNK = 64;                 // histories in one request, the server's limit
  const ASK_MS = 25000;             // a server that starts reads its history within so long

  const states = new Map();         // path -> state
  const painters = new Map();       // path -> Set of paint
  const takers = new Map();         // path -> Set of data
  const links = new Set(), statusCalls = new Set(), alarmCalls = new Set();
  const alarms = new Map(), unitNames = new Map(), since = new Set();
  let isWhole = true, isReading = false, isDue = false;  // whole: every alarm that stands is here
  let socket = null, view = [], attempts = 0, boot = null;
  let lastMessageAt = performance.now(), lastServerMs = Date.now(), isUp = null;
  let offsetMs = null;              // server clock minus this browser's
  let status = null, summary = null, sentTags = "", subscribeTimer = 0;
  const dirty = new Set(); let refresh = 0;

  function state(path) {
    let found = states.get(path);
    if (!found) {
      found = { path, meta: null, value: null, quality: "b", reason: "waiting", at: 0, timeMs: 0 };
      states.set(path, found);
    }
    return found;
  }

  const age = (s) => s.at ? Math.max(0, (performance.now() - s.at) / 1000) : NaN;
  const now = () => Date.now() + (offsetMs ?? 0);

  function subscribe(path, paint, data) {
    add(painters, path, paint);
    if (data) add(takers, path, data);
    const known = states.get(path);
    if (known && known.meta) paint(known);
    resubscribe();
    return () => {
      drop(painters, path, paint);
      if (data) drop(takers, path, data);
      if (!painters.has(path)) states.delete(path);
      resubscribe();
    };
  }
  function add(map, path, call) {
    if (!map.has(path)) map.set(path, new Set());
    map.get(path).add(call);
  }
  function drop(map, path, call) {
    const calls = map.get(path);
    if (calls && calls.delete(call) && !calls.size) map.delete(path);
  }
  function resubscribe() {
    if (!subscribeTimer) subscribeTimer = setTimeout(sendTags, RESUBSCRIBE_MS);
  }
  function sendTags() {
    subscribeTimer = 0;
    const tags = [...painters.keys()].sort();
    const text = JSON.stringify({ tags });
    if (text !== sentTags && send(text)) sentTags = text;
  }
  function send(text) {
    if (!socket || socket.readyState !== WebSocket.OPEN) return false;
    socket.send(text);
    return true;
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    socket = new WebSocket(scheme + location.host + "/live");
    socket.onopen = () => {
      attempts = 0; sentTags = ""; isWhole = false;
      send(JSON.stringify({ alarms: true }));
      sendTags();
      waitingHistory.forEach((_, key) => pendingHistory.add(key));
      sendHistory();
    };
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = retry;
  }
  function retry() {
    if (socket) socket.onclose = socket.onmessage = null;
    socket = null;
    attempts += 1;
    const wait = Math.min(RECONNECT_MAX_MS, 300 * 2 ** attempts);
    setTimeout(connect, wait * (0.5 + Math.random() / 2));
  }

  const receivers = { hello, f: values, a: takeAlarms, s: takeStatus, r: takeHistory, q: takeHits,
    h() {}, e(m) { console.warn("live:", m.code, m.message); } };

  function receive(message) {
    lastMessageAt = performance.now();
    lastServerMs = message.t;
    const offset = message.t - Date.now();
    // the quickest message tells the offset best; the rest only waited
    offsetMs = offsetMs === null || offset > offsetMs || offset < offsetMs - 5000 ? offset : offsetMs;
    if (isUp !== true) setLink(true);
    receivers[message.k]?.(message);
  }

  function hello(message) {
    if (boot && boot !== message.boot) { location.reload(); return; }  // the server was restarted
    boot = message.boot;
    view = message.tags.map((meta) => {
      const s = state(meta.path);
      s.meta = meta;
      return s;
    });
  }

  function values(message) {
    const arrived = performance.now();
    for (const [index, value, quality, ageS, reason] of message.v) {
      const s = view[index];
      if (!s) continue;
      s.value = value; s.quality = quality || "g"; s.reason = reason || "";
      s.at = arrived - (ageS || 0) * 1000;
      s.timeMs = message.t - (ageS || 0) * 1000;
      const calls = takers.get(s.path);
      if (calls) for (const call of calls) call(s);
      dirty.add(s.path);
    }
    if (!refresh) refresh = requestAnimationFrame(paintAll);
  }
  function paintAll() {
    refresh = 0;
    for (const path of dirty) {
      const calls = painters.get(path), s = states.get(path);
      if (calls && s) for (const call of calls) call(s);
    }
    dirty.clear();
  }

  function takeAlarms(message) {
    if (message.reset && !message.more) { alarms.clear(); isWhole = true; }
    for (const alarm of message.rows) {
      since.add(alarm.id);
      if (alarm.state === "normal") alarms.delete(alarm.id); else alarms.set(alarm.id, alarm);
    }
    for (const [path, name] of Object.entries(message.units ?? {})) unitNames.set(path, name);
    summary = message;
    for (const call of alarmCalls) call(message);
    if (message.reset && message.more) readRest();
  }
  // what did not fit into the message; until it is here the numbers say "and more"
  async function readRest() {
    if (isReading) { isDue = true; return; }
    isReading = true; since.clear();
    try {
      const answer = await fetch("/api/alarms");
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const read = (await answer.json()).filter((alarm) => !since.has(alarm.id));
      for (const id of [...alarms.keys()]) if (!since.has(id)) alarms.delete(id);
      for (const alarm of read) alarms.set(alarm.id, alarm);
      isWhole = true;
    } catch (error) {
      console.warn("live: alarms beyond the first could not be read:", error.message); isDue = true;
    }
    isReading = false;
    if (isDue) { isDue = false; setTimeout(readRest, READ_AGAIN_MS); }
    for (const call of alarmCalls) call(summary);
  }
  function takeStatus(message) {
    status = message;
    for (const call of statusCalls) call(message);
  }
  const HIDDEN = new Set(["shelved", "suppressed_by_design", "out_of_service"]);
  function worst(prefix) {
    let priority = 9, count = 0, unacknowledged = 0;
    for (const alarm of alarms.values()) {
      const equipment = alarm.finding.equipment;
      if (HIDDEN.has(alarm.state)) continue;
      if (equipment !== prefix && !equipment.startsWith(prefix + "/")) continue;
      count += 1;
      const open = alarm.state === "unack" || alarm.state === "rtn_unack";
      if (open) unacknowledged += 1;
      priority = Math.min(priority, alarm.finding.priority || 4);
    }
    return { priority, count, unacknowledged, isPart: !isWhole };
  }

  function sentence(equipment, message) {
    const name = unitNames.get(equipment.split("/").slice(0, 4).join("/"));
    if (!name || message.includes(name)) return message || equipment;
    const isWord = /^\p{Lu}\p{Ll}/u.test(message);      // "NPSH margin" keeps its capitals
    return `${name}: ${isWord ? message[0].toLowerCase() + message.slice(1) : message}`;
  }

  // --- recent history, asked for in batches
  const waitingHistory = new Map(), pendingHistory = new Set();
  let historyTimer = 0;
  function history(path, seconds, points) {
    const key = JSON.stringify([seconds, points, path]);
    return new Promise((resolve) => {
      if (!waitingHistory.has(key)) waitingHistory.set(key, []);
      waitingHistory.get(key).push(resolve);
      pendingHistory.add(key);
      if (!historyTimer) historyTimer = setTimeout(sendHistory, RESUBSCRIBE_MS);
    });
  }
  function sendHistory() {
    historyTimer = 0;
    const groups = new Map();
    for (const key of pendingHistory) {
      const [seconds, points, path] = JSON.parse(key);
      const group = JSON.stringify([seconds, points]);
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(path);
    }
    for (const [group, paths] of groups) {
      const [seconds, points] = JSON.parse(group);
      for (let i = 0; i < paths.length; i += CHUNK) {
        if (!send(JSON.stringify({ history: paths.slice(i, i + CHUNK), seconds, points }))) return;
      }
    }
    pendingHistory.clear();
  }
  function takeHistory(message) {
    const key = JSON.stringify([message.seconds, message.points, message.path]);
    const calls = waitingHistory.get(key) || [];
    waitingHistory.delete(key);
    for (const call of calls) call({ times: message.times, values: message.values });
  }

  const searches = new Map();
  function find(text) {
    return new Promise((resolve) => {
      searches.set(text, resolve);
      if (!send(JSON.stringify({ find: text }))) resolve([]);
    });
  }
  function takeHits(message) {
    searches.get(message.text)?.(message.hits);
    searches.delete(message.text);
  }

  // --- is anybody there
  function setLink(up) {
    isUp = up;
    document.documentElement.classList.toggle("mw-lost", !up);
    for (const call of links) call({ up, sinceMs: lastServerMs });
  }
  setInterval(() => {
    if (performance.now() - lastMessageAt <= SILENCE_MS || isUp === false) return;
    setLink(false);
    if (socket && socket.readyState === WebSocket.OPEN) {
      socket.close();  // a half-open connection (a pulled cable) never ends by itself
      retry();
    }
  }, 500);

  async function ask(address, options) {
    const until = performance.now() + ASK_MS;
    for (;;) {
      const answer = await fetch(address, options);
      const waitMs = answer.status === 503 ? Number(answer.headers.get("Retry-After")) * 1000 : 0;
      if (!waitMs || performance.now() + waitMs > until) return answer;
      await new Promise((resolve) => { setTimeout(resolve, waitMs); });
    }
  }

  function listen(set, latest) {
    return (call) => {
      set.add(call);
      const value = latest();
      if (value) call(value);
      return () => set.delete(call);
    };
  }

  window.Millwright = {
    ask,
    live: {
      subscribe, history, find, age, now, state: (path) => states.get(path),
      onLink: listen(links, () => isUp === null ? null : { up: isUp, sinceMs: lastServerMs }),
      onStatus: listen(statusCalls, () => status),
      onAlarms: listen(alarmCalls, () => summary),
    },
    alarms: { all: () => [...alarms.values()], get: (id) => alarms.get(id), worst, sentence },
  };
  connect();
})();
