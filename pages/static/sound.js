/* The alarm sound: higher and quicker for worse; a critical alarm rings again until acknowledged.
 *
 * Rings for an alarm that begins to wait for its acknowledgement or becomes worse while it waits.
 * Browsers keep a page silent until somebody clicks or presses a key on it; the button says so.
 */
(() => {
  "use strict";
  const { live } = Millwright;
  const TONES = { 1: [880, 3, 0.14], 2: [660, 2, 0.18], 3: [520, 1, 0.22], 4: [390, 1, 0.16] };   // Hz, beeps, s
  const PATHS = { on: "M4 9v6h4l5 4V5L8 9zM16 9.5a4 4 0 0 1 0 5M18.5 7a7.5 7.5 0 0 1 0 10", off: "M4 9v6h4l5 4V5L8 9zM16.5 9.5l5 5M21.5 9.5l-5 5" };
  const AGAIN_MS = 10000, KEY = "mw-sound";
  let audio = null, unacknowledged = null, waiting = new Map();    // id -> priority

  const isOn = () => localStorage.getItem(KEY) === "on";
  const isWaiting = (alarm) => alarm.state === "unack" || alarm.state === "rtn_unack";

  function tone(priority) {
    if (!isOn() || audio?.state !== "running") return;    // what a browser held back must not sound later
    const [frequency, beeps, length] = TONES[priority];
    for (let i = 0; i < beeps; i++) {
      const at = audio.currentTime + i * length * 1.6, source = audio.createOscillator(), gain = audio.createGain();
      source.frequency.value = frequency; source.type = "triangle";
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.25, at + 0.01);
      gain.gain.linearRampToValueAtTime(0, at + length);
      source.connect(gain).connect(audio.destination);
      source.start(at); source.stop(at + length);
    }
  }

  function ring(message) {
    const before = message.reset ? waiting : new Map(waiting), counted = unacknowledged;
    if (message.reset) waiting = new Map();
    let worst = 9;
    for (const alarm of message.rows) {
      const priority = alarm.finding.priority || 4;
      // one that comes and goes has rung already
      if (isWaiting(alarm) && !alarm.chattering && priority < (before.get(alarm.id) ?? 9)) worst = Math.min(worst, priority);
      if (isWaiting(alarm)) waiting.set(alarm.id, priority); else waiting.delete(alarm.id);
    }
    // in a flood not every alarm is told by name
    if (message.more && counted) worst = Math.min(worst, 1 + message.unack.findIndex((n, i) => n > counted[i]) || 9);
    unacknowledged = message.unack;
    if (counted && worst < 9) tone(worst);   // not for what stood there when the page was opened
  }

  // --- the button
  function wake() {
    if (!isOn()) return;
    audio ??= new AudioContext();
    audio.onstatechange = show;
    if (audio.state === "suspended") audio.resume();
    show();
  }
  function show() {
    const button = document.getElementById("mw-sound");
    if (!button) return;
    const on = isOn(), isHeld = on && audio?.state !== "running";
    button.querySelector("path").setAttribute("d", PATHS[on ? "on" : "off"]);
    button.title = button.ariaLabel = isHeld ? "Alarm sound is on, but the browser is silent until you click or press a key" : on ? "Alarm sound is on" : "Alarm sound is off";
    button.ariaPressed = String(on);
    button.classList.toggle("mw-held", isHeld);
  }
  function toggle() {
    localStorage.setItem(KEY, isOn() ? "off" : "on");
    wake();
    show();
    audio?.resume().then(() => tone(4));   // so sounds the lowest
  }
  addEventListener("pointerdown", wake, true);
  addEventListener("keydown", wake, true);
  setInterval(() => { if (unacknowledged?.[0]) tone(1); }, AGAIN_MS);

  Millwright.sound = { toggle, start() { wake(); show(); live.onAlarms(ring); } };
})();
