// One message, built once and then changed in place: only what differs is touched, so focus and pictures stay.

import { bytes, clock, el, outward, prose } from "./format.js";
import { Moments } from "./moments.js";
import { Pictures } from "./pictures.js";

const NAMES = { you: "You", keaton: "Keaton" };

export class Message {
  constructor(data, actions) {
    this.id = data.id;
    this.data = {};
    this.actions = actions;
    this.build(data);
    this.update(data);
  }

  build(data) {
    const name = el("span", { class: "name", id: `name-${data.id}` }, NAMES[data.author]);
    const time = el("time", { datetime: new Date(data.at_ms).toISOString() }, clock(data.at_ms));
    this.only = el("span", { class: "only", hidden: true });
    this.content = el("div", { class: "content" });
    const avatar = el("img", { class: "avatar", src: `/page/${data.author}.svg`, alt: "", width: 40, height: 40 });
    const body = el("div", { class: "body" }, el("p", { class: "meta" }, name, time, this.only), this.content);
    this.node = el("article", { class: `message by-${data.author}`, "aria-labelledby": name.id, "data-id": data.id }, avatar, body);
    this.parts = this.layOut();
  }

  layOut() {
    const part = (tag, name, extra = {}) => {
      const node = el(tag, { class: name, hidden: true, ...extra });
      this.content.append(node);
      return node;
    };
    const parts = { title: part("h2", "title"), text: part("p", "text"), file: part("p", "file") };
    parts.entries = part("ol", "entries");
    parts.progress = part("div", "progress");
    this.pictures = new Pictures(part("div", "pictures"), (kind) => this.actions.enlarge(this, kind));
    const deeds = el("div", { class: "deeds" });
    this.moments = new Moments(part("div", "moments"), (id) => this.actions.press(this.id, id));
    this.refine = el("button", { type: "button", class: "chip refine", hidden: true }, "Refine");
    this.refine.addEventListener("click", () => this.actions.refine(this));
    parts.links = part("p", "links");
    deeds.append(this.moments.node, this.refine, parts.links);
    this.content.append(deeds);
    parts.suggestions = part("div", "suggestions", { role: "group", "aria-label": "Things to try" });
    return parts;
  }

  update(data) {
    const before = this.data;
    this.data = data;
    const differs = (name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]);
    for (const name of Object.keys(this.parts)) if (differs(name)) this[`show_${name}`](data[name]);
    if (differs("pictures")) this.pictures.show(data.pictures ?? []);
    this.moments.show(data.buttons ?? []);
    this.refine.hidden = !data.buttons?.some((button) => button.id.startsWith("show:"));
    this.only.hidden = !data.private;
    this.only.textContent = data.private ? "Only you can see this" : "";
    this.content.setAttribute("aria-live", data.progress ? "off" : "polite");
    this.node.setAttribute("aria-busy", String(Boolean(data.progress)));
    this.node.classList.toggle("error", data.tone === "error");
    this.node.classList.toggle("card", Boolean(data.title || data.progress || data.pictures?.length));
    this.actions.changed(this);
  }

  show_title(title) {
    this.parts.title.hidden = !title;
    this.parts.title.textContent = title ?? "";
  }

  show_text(text) {
    this.parts.text.hidden = !text;
    this.parts.text.replaceChildren(prose(text ?? ""));
  }

  show_entries(entries = []) {
    this.parts.entries.hidden = entries.length === 0;
    this.parts.entries.replaceChildren(...entries.map(entry));
  }

  show_file(file) {
    this.parts.file.hidden = !file;
    if (file) this.parts.file.replaceChildren(el("b", {}, file.name), el("span", {}, bytes(file.size_bytes)));
  }

  // The reply's text says stage, percent and time left; the bar shows them.
  show_progress(progress) {
    this.parts.progress.hidden = !progress;
    if (!progress) return;
    if (!this.track) this.parts.progress.append((this.track = bar()));
    const known = progress.fraction !== null;
    this.track.classList.toggle("unknown", !known);
    this.track.setAttribute("aria-valuetext", this.data.text);
    known ? this.track.setAttribute("aria-valuenow", Math.floor(progress.fraction * 100)) : this.track.removeAttribute("aria-valuenow");
    this.track.firstChild.style.transform = known ? `scaleX(${progress.fraction})` : "";
  }

  show_links(links = []) {
    this.parts.links.hidden = links.length === 0;
    this.parts.links.replaceChildren(...links.map((link) => outward(link.url, link.label)));
  }

  show_suggestions(suggestions = []) {
    this.parts.suggestions.hidden = suggestions.length === 0;
    this.parts.suggestions.replaceChildren(...suggestions.map((text) => this.chip(text)));
  }

  chip(text) {
    const chip = el("button", { type: "button", class: "chip" }, text);
    chip.addEventListener("click", () => this.actions.say(text));
    return chip;
  }
}

function entry({ title, text, link, picture }) {
  const shown = picture ? [el("img", { src: Object.values(picture.urls)[0], alt: picture.alt, loading: "lazy" })] : [];
  const facts = el("span", {}, text);
  if (link) facts.append(", ", outward(link.url, link.label));
  return el("li", {}, ...shown, el("div", {}, el("b", {}, title), facts));
}

function bar() {
  return el("div", { class: "track", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, el("div"));
}
