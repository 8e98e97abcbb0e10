/* Questions before an action: a note, or how long to shelve and why. */
const { make, put } = Millwright;
const MINUTES = [15, 30, 60, 240];
const REASONS = ["Being repaired", "Known, reported", "Sensor fault", "Test"];

function sheet(title) {
  document.querySelector(".mw-sheet-back")?.remove();
  const back = make("div", "mw-sheet-back", document.body), box = make("form", "mw-sheet mw-ask", back);
  box.setAttribute("role", "dialog"); box.ariaModal = "true"; box.ariaLabel = title;
  make("h2", "", box, title);
  const before = document.activeElement, shell = document.querySelector(".mw-shell");
  const close = () => { back.remove(); shell.inert = false; before?.focus?.({ preventScroll: true }); };
  shell.inert = true; box.tabIndex = -1;
  back.onclick = (event) => { if (event.target === back) close(); };
  back.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } };
  return { box, close };
}

function noteField(box, words) {
  const label = make("label", "mw-ask-label", box, words), input = make("textarea", "mw-at-field", label);
  input.rows = 2; input.maxLength = 500;
  return input;
}

function buttons(box, words, close) {
  const line = make("div", "mw-row mw-ask-buttons", box);
  const cancel = make("button", "mw-button", line, "Cancel"), ok = make("button", "mw-button mw-primary", line, words);
  cancel.type = "button"; cancel.onclick = close; ok.type = "submit";
  return ok;
}

/* Ask for a note, which must be there if `isNeeded`. */
export function askNote(title, words, isNeeded, done) {
  const { box, close } = sheet(title), input = noteField(box, isNeeded ? "Why" : "Note (may be empty)");
  input.required = isNeeded;
  if (isNeeded) reasons(box, input);
  buttons(box, words, close);
  box.onsubmit = (event) => { event.preventDefault(); close(); done(input.value.trim()); };
  input.focus();
}

function reasons(box, input) {
  const line = make("div", "mw-row", box);
  for (const reason of REASONS) {
    const button = make("button", "mw-chip", line, reason);
    button.type = "button"; button.onclick = () => { input.value = reason; input.dispatchEvent(new Event("input")); };
  }
}

/* Ask for how long to shelve, 1 to `limit` minutes, and why. */
export function askShelve(what, limit, isCritical, done) {
  const { box, close } = sheet(`Shelve ${what}`);
  const label = make("label", "mw-ask-label", box, "Minutes"), minutes = make("input", "mw-at-field", label);
  minutes.type = "number"; minutes.min = "1"; minutes.max = String(limit); minutes.step = "1"; minutes.required = true; minutes.value = "30";
  const line = make("div", "mw-row", box);
  for (const choice of [...MINUTES.filter((each) => each < limit), limit]) {
    const button = make("button", "mw-chip", line, choice % 60 ? `${choice} min` : `${choice / 60} h`);
    button.type = "button"; button.onclick = () => { minutes.value = String(choice); tell(); };
  }
  const note = noteField(box, "Why");
  note.required = true;
  reasons(box, note);
  const consequence = make("p", "", box);
  const tell = () => {
    const until = Millwright.clock(Millwright.live.now() + 60e3 * (Number(minutes.value) || 0)).slice(0, 5);
    put(consequence, `It makes no sound and leaves the active list until ${until}, even if it becomes worse. Then it comes back by itself.` +
      (isCritical ? " This is a critical alarm." : ""));
  };
  minutes.oninput = tell;
  tell();
  buttons(box, "Shelve", close);
  box.onsubmit = (event) => { event.preventDefault(); close(); done({ minutes: Number(minutes.value), note: note.value.trim() }); };
  note.focus();
}
