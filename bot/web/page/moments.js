// The buttons under an answer: one tab stop, arrow keys among them; kept in place so that focus survives a change.

import { el } from "./format.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export class Moments {
  constructor(node, press) {
    this.node = node;
    this.press = press;
    this.buttons = [];
    node.setAttribute("role", "toolbar");
    node.setAttribute("aria-label", "Moments");
    node.addEventListener("keydown", (event) => this.key(event));
    node.addEventListener("focusin", (event) => this.stopAt(this.nodes().indexOf(event.target)));
  }

  nodes() {
    return [...this.node.children];
  }

  show(buttons) {
    this.buttons = buttons;
    this.node.hidden = buttons.length === 0;
    while (this.node.children.length > buttons.length) this.node.lastChild.remove();
    buttons.forEach((button, index) => this.dress(this.node.children[index] ?? this.add(), button));
    if (!this.node.contains(document.activeElement)) this.stopAt(Math.max(0, buttons.findIndex((button) => button.active)));
  }

  add() {
    const node = el("button", { type: "button" });
    node.addEventListener("click", () => this.go(this.nodes().indexOf(node)));
    this.node.append(node);
    return node;
  }

  dress(node, { label, active, enabled }) {
    node.classList.remove("waiting");
    if (node.textContent !== label) node.textContent = label;
    node.classList.toggle("number", /^\d/.test(label));
    active ? node.setAttribute("aria-current", "true") : node.removeAttribute("aria-current");
    enabled ? node.removeAttribute("aria-disabled") : node.setAttribute("aria-disabled", "true");
  }

  // Presses the button at this place, unless it is off or shown already.
  go(index) {
    const button = this.buttons[index];
    if (!button?.enabled || button.active) return;
    this.node.children[index].classList.add("waiting");
    this.press(button.id);
  }

  // The moment before (-1) or after (1) the one shown; false where there is none.
  step(by) {
    const numbered = this.buttons.filter((button) => /^\d/.test(button.label));
    const next = numbered[numbered.findIndex((button) => button.active) + by];
    if (!next || !numbered.some((button) => button.active)) return false;
    this.go(this.buttons.indexOf(next));
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
