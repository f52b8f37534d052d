// The message box: sending, recalling what was said, and the list of commands.

import { el } from "./format.js";
import { get } from "./server.js";

const COMMANDS = [
  { name: "/find", takes: "words", does: "Find a moment by what is seen" },
  { name: "/videos", takes: "", does: "All videos here" },
  { name: "/forget", takes: "video", does: "Forget a video" },
  { name: "/help", takes: "", does: "What I can do" },
];
const RECALL = 50;
const GOES_ON = /^\s*\/forget\s|(?:^|\s)(?:video|from):(?:"[^"]*|[^\s"]*)$/i;
const PAUSE_MS = 120;

export class Composer {
  constructor({ form, box, send, list, beside }, submit) {
    Object.assign(this, { form, box, send, list, beside, submit });
    this.said = JSON.parse(sessionStorage.getItem("keaton-said") ?? "[]");
    this.back = 0;
    this.offers = [];
    this.picked = 0;
    form.addEventListener("submit", (event) => this.submitted(event));
    box.addEventListener("input", () => this.edited());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.offer([]));
    box.addEventListener("focus", () => this.suggest());
    list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  write(text) {
    this.box.value = text;
    this.box.setSelectionRange(text.length, text.length);
    this.fit();
  }

  edited() {
    this.back = 0;
    this.fit();
    this.suggest();
  }

  fit() {
    this.send.disabled = this.box.value.trim() === "" && !this.beside.ready;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
  }

  async submitted(event) {
    event?.preventDefault();
    const text = this.box.value.trim();
    if (!text && !this.beside.ready) return;
    this.write("");
    this.offer([]);
    if (text) this.remember(text);
    if (!(await this.submit(text)) && !this.box.value) this.write(text);
  }

  remember(text) {
    this.back = 0;
    this.said = [...this.said.filter((one) => one !== text), text].slice(-RECALL);
    sessionStorage.setItem("keaton-said", JSON.stringify(this.said));
  }

  key(event) {
    if (event.isComposing || this.commandKey(event) || this.recallKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.submitted();
    }
  }

  // Up in an empty box brings back what was said last; Up and Down go on from there.
  recallKey(event) {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || event.shiftKey || (this.back === 0 && (by < 0 || this.box.value))) return false;
    const back = Math.min(this.said.length, Math.max(0, this.back + by));
    if (back === this.back && by > 0) return false;
    event.preventDefault();
    this.back = back;
    this.write(back ? this.said.at(-back) : "");
    return true;
  }

  suggest() {
    const typed = this.box.value;
    const asks = /^\/\S*$/.test(typed) && this.back === 0;
    this.offer(asks ? COMMANDS.filter(({ name }) => name.startsWith(typed.toLowerCase())) : []);
    clearTimeout(this.timer);
    if (GOES_ON.test(typed) && this.back === 0) this.timer = setTimeout(() => this.complete(typed), PAUSE_MS);
  }

  // Offers names of videos and people; what was typed meanwhile wins.
  async complete(typed) {
    const found = await get(`/api/suggestions?${new URLSearchParams({ text: typed })}`).catch(() => ({ suggestions: [] }));
    if (this.box.value !== typed || document.activeElement !== this.box) return;
    this.offer(found.suggestions.filter(({ text }) => text.trim() !== typed.trim()).map(({ label, text }) => ({ name: label, text, takes: "", does: "" })));
  }

  offer(offers) {
    this.offers = offers;
    this.picked = 0;
    this.list.hidden = offers.length === 0;
    this.list.replaceChildren(...offers.map((command, index) => this.option(command, index)));
    this.mark();
  }

  option({ name, takes, does }, index) {
    const use = el("span", { class: "use", title: name }, el("b", {}, name), takes ? ` ${takes}` : "");
    const option = el("li", { role: "option", id: `command-${index}` }, use, el("span", { class: "does" }, does));
    option.addEventListener("click", () => this.pick(index));
    return option;
  }

  mark() {
    [...this.list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === this.picked)));
    this.offers.length
      ? this.box.setAttribute("aria-activedescendant", `command-${this.picked}`)
      : this.box.removeAttribute("aria-activedescendant");
  }

  commandKey(event) {
    if (!this.offers.length || event.shiftKey) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) this.picked = (this.picked + by + this.offers.length) % this.offers.length;
    else if (event.key === "Enter" || event.key === "Tab") this.pick(this.picked);
    else if (event.key === "Escape") this.offer([]);
    else return false;
    event.preventDefault();
    this.mark();
    return true;
  }

  pick(index) {
    const { name, takes, text } = this.offers[index];
    if (text) {
      this.write(text);
      this.offer([]);
      return this.box.focus();
    }
    this.write(takes ? `${name} ` : name);
    this.offer([]);
    this.box.focus();
    if (!takes) this.submitted();
  }
}
