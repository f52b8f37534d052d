// What can be done with an answer: its moments as a strip, a few buttons, and all else behind More. One tab stop, arrow
// keys among them; nodes are kept in place so that focus survives a change.

import { el, signed, thumb } from "./format.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const WAITING_MS = 4000;
const FIRST = 6;
const HINTS = {
  "As softmax": "Draws the plot as shares of 100 %",
  "More like this": "Finds other frames that look like this one",
  "Whole video": "Shows frames of the whole video",
  "👍": "This is right: rank it up for everybody",
  "👎": "This is wrong: rank it down for everybody",
};
const HALVES = /^(.1 s|👍.*|👎.*)$/u;

export class Moments {
  constructor(node, press) {
    Object.assign(this, { node, press, buttons: [], rows: new Map(), all: false, strip: [], extras: [] });
    node.setAttribute("role", "toolbar");
    node.setAttribute("aria-label", "Moments");
    node.addEventListener("keydown", (event) => this.key(event));
    node.addEventListener("focusin", (event) => this.stopAt(this.nodes().indexOf(event.target)));
    this.bar = el("span", { class: "row few" });
    this.menu = el("div", { class: "menu", role: "group", "aria-label": "More", hidden: true });
    this.opener = el("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-haspopup": "true", "aria-label": "More" }, "More");
    this.opener.addEventListener("click", () => this.open(this.menu.hidden));
    this.further = el("button", { type: "button", class: "further", hidden: true });
    this.further.addEventListener("click", () => this.showAll());
    this.more = el("span", { class: "more" }, this.opener, this.menu);
    node.append(this.bar);
    document.addEventListener("pointerdown", (event) => this.more.contains(event.target) || this.open(false));
  }

  // Adds an entry to More that the server knows nothing of.
  offer(label, title, act) {
    const node = el("button", { type: "button", hidden: true, title }, label);
    node.addEventListener("click", () => (this.open(false), act(node)));
    this.extras.push(node);
    return node;
  }

  nodes() {
    return [...this.node.querySelectorAll("button")].filter((node) => !node.closest("[hidden]"));
  }

  show(buttons, strip = []) {
    this.buttons = [...buttons].sort((one, other) => one.row - other.row);
    this.strip = strip;
    this.node.hidden = buttons.length === 0;
    const seen = this.buttons.filter((button) => !button.more);
    for (const row of new Set([...this.rows.keys(), ...seen.map((button) => button.row)])) this.fill(row, seen.filter((button) => button.row === row));
    const hidden = this.buttons.filter((button) => button.more);
    this.pour(this.menu, hidden, "");
    this.menu.append(...this.extras);
    this.node.append(this.more);
    this.more.hidden = hidden.length === 0 && this.extras.every((node) => node.hidden);
    if (!this.node.contains(document.activeElement)) this.stopAt(Math.max(0, this.nodes().findIndex((node) => node.hasAttribute("aria-current"))));
  }

  // Brings one row up to date: as many nodes as buttons, each dressed anew.
  fill(number, wanted) {
    const row = this.rows.get(number) ?? this.begin(number);
    const isStrip = number === 0 && this.strip.length > 1;
    row.classList.toggle("strip", isStrip);
    if (isStrip) return this.lay(row, wanted);
    if (number === 0) this.further.remove();
    row.querySelectorAll(".of").forEach((title) => title.remove());
    this.pour(row, wanted);
  }

  pour(row, wanted) {
    const nodes = [...row.children].filter((node) => node.matches("button") && !this.extras.includes(node) && node !== this.further);
    nodes.slice(wanted.length).forEach((node) => node.remove());
    wanted.forEach((button, index) => this.dress(nodes[index] ?? this.add(row), button));
    row.hidden = wanted.length === 0 && row !== this.menu ? true : row === this.menu ? row.hidden : false;
  }

  // The moments with their frames: some, or all of them by video.
  lay(row, wanted) {
    const shown = this.all ? wanted : wanted.slice(0, Math.max(FIRST, 1 + this.strip.findIndex((one) => one.active)));
    this.pour(row, shown);
    const nodes = [...row.querySelectorAll("button:not(.further)")];
    row.querySelectorAll(".of").forEach((title) => title.remove());
    if (this.all && new Set(this.strip.map((one) => one.video)).size > 1) this.group(row, nodes);
    else row.append(...nodes);
    this.further.textContent = `Show more (${wanted.length - shown.length})`;
    this.further.hidden = shown.length === wanted.length;
    row.append(this.further);
  }

  group(row, nodes) {
    for (const video of new Set(this.strip.map((one) => one.video))) {
      const theirs = this.strip.map((one, index) => (one.video === video ? nodes[index] : null)).filter(Boolean);
      const { title } = this.strip.find((one) => one.video === video);
      row.append(el("span", { class: "of", title }, title), ...theirs);
    }
  }

  showAll() {
    const next = this.nodes().indexOf(this.further);
    this.all = true;
    this.show(this.buttons, this.strip);
    this.nodes()[next]?.focus();
  }

  begin(number) {
    const row = el("span", { class: "row", "data-row": number });
    const place = number === 0 ? this.node : this.bar;
    const after = [...place.children].find((other) => other === this.bar || Number(other.dataset.row) > number);
    place.insertBefore(row, after ?? null);
    this.rows.set(number, row);
    return row;
  }

  add(row) {
    const node = el("button", { type: "button" });
    node.addEventListener("click", () => this.go(node));
    row.append(node);
    return node;
  }

  dress(node, button) {
    const { id, label, active, enabled } = button;
    const moment = this.strip.find((one) => one.id === id);
    node.classList.remove("waiting");
    const face = JSON.stringify([label, moment?.words]);
    if (node.dataset.face !== face) node.replaceChildren(...(moment ? frame(moment, label, new Set(this.strip.map((one) => one.video)).size > 1) : [signed(label)]));
    node.dataset.face = face;
    node.classList.toggle("half", HALVES.test(label));
    node.dataset.id = id;
    node.title = HINTS[label.replace(/ \d+$/, "")] ?? "";
    node.classList.toggle("number", /^\d+ ·/.test(label));
    active ? node.setAttribute("aria-current", "true") : node.removeAttribute("aria-current");
    enabled ? node.removeAttribute("aria-disabled") : node.setAttribute("aria-disabled", "true");
  }

  open(yes) {
    if (this.menu.hidden === !yes) return;
    this.menu.hidden = !yes;
    this.opener.setAttribute("aria-expanded", String(yes));
    if (!yes) return;
    this.menu.classList.remove("up");
    const { bottom } = this.menu.getBoundingClientRect();
    const floor = this.node.closest(".log")?.getBoundingClientRect().bottom ?? innerHeight;
    this.menu.classList.toggle("up", bottom > floor);
  }

  // Presses a button, unless it is off or shown already.
  go(node) {
    const button = this.buttons.find((one) => one.id === node.dataset.id);
    if (!button?.enabled || button.active) return;
    node.classList.add("waiting");
    setTimeout(() => node.classList.remove("waiting"), WAITING_MS); // what it brings may stand elsewhere
    if (this.menu.contains(node)) {
      this.open(false);
      this.opener.focus({ preventScroll: true });
    }
    this.press(button.id);
  }

  // The moment before (-1) or after (1) the one shown; false where there is none.
  step(by) {
    const button = this.buttons.find(({ label }) => label === (by < 0 ? "Previous" : "Next"));
    if (!button?.enabled) return false;
    this.press(button.id);
    return true;
  }

  stopAt(index) {
    this.node.querySelectorAll("button").forEach((node) => (node.tabIndex = -1));
    const node = this.nodes()[index];
    if (node) node.tabIndex = 0;
  }

  key(event) {
    if (event.key === "Escape" && !this.menu.hidden) {
      this.open(false);
      this.opener.focus();
      return event.stopPropagation();
    }
    const nodes = this.nodes();
    const here = nodes.indexOf(document.activeElement);
    const to = { Home: 0, End: nodes.length - 1 }[event.key] ?? here + (STEPS[event.key] ?? 0);
    if (to === here || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    nodes[(to + nodes.length) % nodes.length].focus();
  }
}

function* frame({ video, at_s, span_s, number, label, level, words, title }, whole, several) {
  const image = el("img", { src: thumb(video, { at: at_s, from: span_s[0], to: span_s[1] }), alt: "", width: 112, height: 63, loading: "lazy" });
  image.addEventListener("error", () => image.classList.add("gone"));
  yield image;
  yield el("span", { class: "stamp" }, `${number} · ${label}`);
  if (words) yield el("span", { class: `words ${level}` }, words);
  if (several) yield el("span", { class: "whose", title }, title);
}
