// The buttons under an answer: one tab stop, arrow keys among them; kept in place so that focus survives a change.

import { el, signed } from "./format.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const WAITING_MS = 4000;

export class Moments {
  constructor(node, press) {
    this.node = node;
    this.press = press;
    this.buttons = [];
    this.rows = new Map();
    node.setAttribute("role", "toolbar");
    node.setAttribute("aria-label", "Moments");
    node.addEventListener("keydown", (event) => this.key(event));
    node.addEventListener("focusin", (event) => this.stopAt(this.nodes().indexOf(event.target)));
  }

  nodes() {
    return [...this.node.querySelectorAll("button")];
  }

  show(buttons) {
    this.buttons = [...buttons].sort((one, other) => one.row - other.row);
    this.node.hidden = buttons.length === 0;
    for (const number of new Set([...this.rows.keys(), ...buttons.map((button) => button.row)])) this.fill(number);
    if (!this.node.contains(document.activeElement)) this.stopAt(Math.max(0, this.buttons.findIndex((button) => button.active)));
  }

  // Brings one row up to date: as many nodes as buttons, each dressed anew.
  fill(number) {
    const wanted = this.buttons.filter((button) => button.row === number);
    const row = this.rows.get(number) ?? this.open(number);
    while (row.children.length > wanted.length) row.lastChild.remove();
    wanted.forEach((button, index) => this.dress(row.children[index] ?? this.add(row), button));
    row.hidden = wanted.length === 0;
  }

  open(number) {
    const row = el("span", { class: "row", "data-row": number });
    const after = [...this.node.children].find((other) => Number(other.dataset.row) > number);
    this.node.insertBefore(row, after ?? null);
    this.rows.set(number, row);
    return row;
  }

  add(row) {
    const node = el("button", { type: "button" });
    node.addEventListener("click", () => this.go(this.nodes().indexOf(node)));
    row.append(node);
    return node;
  }

  dress(node, { label, active, enabled }) {
    node.classList.remove("waiting");
    if (node.dataset.label !== label) node.replaceChildren(signed(label));
    node.dataset.label = label;
    node.classList.toggle("number", /^\d+ ·/.test(label));
    active ? node.setAttribute("aria-current", "true") : node.removeAttribute("aria-current");
    enabled ? node.removeAttribute("aria-disabled") : node.setAttribute("aria-disabled", "true");
  }

  // Presses the button at this place, unless it is off or shown already.
  go(index) {
    const button = this.buttons[index];
    if (!button?.enabled || button.active) return;
    const node = this.nodes()[index];
    node.classList.add("waiting");
    setTimeout(() => node.classList.remove("waiting"), WAITING_MS); // what it brings may stand elsewhere
    this.press(button.id);
  }

  // The moment before (-1) or after (1) the one shown; false where there is none.
  step(by) {
    const index = this.buttons.findIndex((button) => button.label === (by < 0 ? "Previous" : "Next"));
    if (!this.buttons[index]?.enabled) return false;
    this.go(index);
    return true;
  }

  stopAt(index) {
    this.nodes().forEach((node, at) => (node.tabIndex = at === index ? 0 : -1));
  }

  key(event) {
    const nodes = this.nodes();
    const here = nodes.indexOf(document.activeElement);
    const to = { Home: 0, End: nodes.length - 1 }[event.key] ?? here + (STEPS[event.key] ?? 0);
    if (to === here || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    nodes[(to + nodes.length) % nodes.length].focus();
  }
}
