/* Redraws that leave alone what stays the same.
 *
 * The server sends a part's HTML anew as it changes, up to five times a second. A node that is
 * replaced loses the focus, the text that is marked in it, and the click that began on it. So nodes
 * that are as before stay, and nothing moves while the button of a mouse is down.
 *
 * Millwright.redraw(old, fresh): makes a node look like another; returns the one that stands there.
 * Millwright.calm(draw): calls `draw` at once, or when the button is up.
 * <mw-piece>: what pages/markup.py places; NiceGUI sets its innerHTML, which is drawn in this way.
 */
(() => {
  "use strict";
  const HELD_MS = 5000;                     // nobody presses longer; what is shown must not be old
  const KEPT = new Set(["data-soon"]);      // set in the browser, see widgets/workflow/work.js

  // --- while a button is down
  let isPressed = false, timer = 0, late = [];
  function release() {
    if (!isPressed) return;
    isPressed = false; clearTimeout(timer);
    const draws = late;
    late = [];
    for (const draw of draws) draw();
  }
  const soon = () => setTimeout(release);   // the click comes after the button is up
  addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;  // a finger's click asks what is there when it leaves
    isPressed = true; clearTimeout(timer);
    timer = setTimeout(release, HELD_MS);
  }, true);
  for (const end of ["pointerup", "pointercancel", "dragend"]) addEventListener(end, soon, true);
  addEventListener("blur", soon);
  const calm = (draw) => { if (isPressed) late.push(draw); else draw(); };

  // --- what stands for the same thing before and after
  function key(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return null;
    const { patch, run, act, id } = node.dataset;
    if (patch || run) return `${patch ?? ""} ${run ?? ""}`;
    return act ? `${act} ${id ?? ""}` : node.id || null;
  }
  const isOwn = (node) => node.nodeName.includes("-");  // a custom element draws its own inside
  const isSame = (old, fresh) => old.nodeName === fresh.nodeName && key(old) === key(fresh) && (!isOwn(old) || isAsked(old, fresh));
  function isAsked(old, fresh) {
    return [...fresh.attributes].every(({ name, value }) => name === "class"
      ? value.split(" ").every((each) => !each || old.classList.contains(each)) : old.getAttribute(name) === value);
  }

  function redraw(old, fresh) {
    if (!isSame(old, fresh)) { old.replaceWith(fresh); return fresh; }
    if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return old; }
    if (isOwn(old)) return old;
    attributes(old, fresh);
    children(old, fresh);
    return old;
  }
  function attributes(old, fresh) {
    const isFree = ({ name }) => KEPT.has(name) || (name === "open" && old.nodeName === "DETAILS");
    for (const each of [...old.attributes]) if (!isFree(each) && !fresh.hasAttribute(each.name)) old.removeAttribute(each.name);
    for (const each of fresh.attributes) if (!isFree(each) && old.getAttribute(each.name) !== each.value) old.setAttribute(each.name, each.value);
  }
  function children(old, fresh) {
    const wanted = [...fresh.childNodes], keys = new Set(wanted.map(key)), known = new Map();
    keys.delete(null);
    for (const each of [...old.childNodes]) {
      const name = key(each);
      if (name !== null && !keys.has(name)) each.remove();  // first, so that none that stays is moved: a move takes the focus
      else if (name !== null) known.set(name, each);
    }
    let at = old.firstChild;
    for (const want of wanted) {
      const mate = known.get(key(want)) ?? (at && key(at) === null && isSame(at, want) ? at : null);
      if (!mate) { old.insertBefore(want, at); continue; }
      if (mate !== at) old.insertBefore(mate, at);
      at = redraw(mate, want).nextSibling;
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }

  class Piece extends HTMLElement {
    get innerHTML() { return super.innerHTML; }
    set innerHTML(html) {
      if (!this.firstChild) { super.innerHTML = html; return; }
      calm(() => {
        const holder = document.createElement("template");
        holder.innerHTML = html;
        children(this, holder.content);
      });
    }
  }
  customElements.define("mw-piece", Piece);
  Object.assign(Millwright, { redraw, calm });
})();
