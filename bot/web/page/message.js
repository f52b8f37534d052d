// One message, built once and then changed in place: only what differs is touched, so focus and pictures stay.

import { bytes, clock, el, outward, prose, thumb } from "./format.js";
import { Gallery } from "./gallery.js";
import { Moments } from "./moments.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { Plot } from "./plot.js";

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
    const into = (place) => (tag, name, extra = {}) => {
      const node = el(tag, { class: name, hidden: true, ...extra });
      place.append(node);
      return node;
    };
    const part = into(this.content);
    const parts = { title: part("h2", "title"), level: part("p", "level"), text: part("p", "text"), like: part("p", "like") };
    parts.file = part("p", "file");
    parts.picture = part("p", "asked");
    parts.entries = part("ol", "entries");
    parts.gallery = part("div", "gallery");
    parts.progress = part("div", "progress");
    this.view = part("div", "view");
    const shot = el("div", { class: "shot" });
    this.pictures = new Pictures(into(shot)("div", "pictures"), (kind) => this.actions.enlarge(this, kind));
    this.player = new Player(into(shot)("div", "player"), () => this.preview());
    shot.append(this.player.button);
    this.view.append(shot);
    this.plot = new Plot(into(this.view)("div", "plotted"), (id) => this.actions.press(this.id, id));
    this.deeds = el("div", { class: "deeds" });
    this.moments = new Moments(into(this.deeds)("div", "moments"), (id) => this.actions.press(this.id, id));
    this.refine = this.moments.offer("Refine", "Adds words to this question", () => this.actions.refine(this));
    this.figures = this.moments.offer("Details", "The figures behind the verdict", (node) => this.tell(node));
    parts.links = into(this.deeds)("p", "links");
    this.content.append(this.deeds);
    parts.details = part("p", "details");
    parts.suggestions = part("div", "suggestions", { role: "group", "aria-label": "Things to try" });
    return parts;
  }

  update(data) {
    const before = this.data;
    this.data = data;
    const differs = (name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]);
    for (const name of Object.keys(this.parts)) if (differs(name)) this[`show_${name}`](data[name]);
    if (differs("pictures") || differs("plot")) this.show_view(data);
    this.refine.hidden = !data.buttons?.some((button) => button.id.startsWith("show:"));
    this.figures.hidden = !data.details;
    this.moments.show(data.buttons ?? [], data.strip ?? []);
    this.only.hidden = !data.private;
    this.only.textContent = data.private ? "Only you can see this" : "";
    this.content.setAttribute("aria-live", data.progress ? "off" : "polite");
    this.node.setAttribute("aria-busy", String(Boolean(data.progress)));
    this.node.classList.toggle("error", data.tone === "error");
    this.node.classList.toggle("card", Boolean(data.title || data.progress || data.pictures?.length || data.gallery));
    this.actions.changed(this);
  }

  // Frame and plot. A plot that comes as figures is drawn here; its picture is for those who want to keep it.
  show_view({ pictures = [], plot = null }) {
    const shown = plot ? pictures.filter(({ kind }) => kind !== "plot") : pictures;
    this.view.hidden = shown.length === 0 && !plot;
    this.pictures.show(shown);
    this.player.show(shown[0]?.kind === "frame" ? plot : null);
    this.plot.show(plot, plot?.label ?? "");
    this.view.classList.toggle("both", Boolean(plot) && shown.length > 0);
  }

  preview() {
    const button = (this.data.buttons ?? []).find(({ label }) => label === "Preview");
    if (button) this.actions.press(this.id, button.id);
  }

  tell(button) {
    const shown = this.parts.details.hidden;
    this.parts.details.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
  }

  show_details(details) {
    const plot = (this.data.pictures ?? []).find(({ kind }) => kind === "plot");
    this.parts.details.replaceChildren(details ?? "");
    if (plot && this.data.plot) this.parts.details.append(" ", el("a", { href: plot.urls.light ?? plot.urls.dark, download: plot.name }, "Save the plot as a picture"));
    if (!details) this.parts.details.hidden = true;
  }

  show_level(level) {
    this.parts.level.hidden = !level?.words;
    this.parts.level.className = `level ${level?.name ?? ""}`;
    this.parts.level.textContent = level?.words ?? "";
  }

  show_like(like) {
    this.parts.like.hidden = !like;
    if (like) this.parts.like.replaceChildren(el("img", { src: thumb(like.video, { at: like.at_s }), alt: "", width: 80, height: 45 }), like.words);
  }

  // The picture that was asked about; it is not kept longer than this page runs.
  show_picture(address) {
    this.parts.picture.hidden = !address;
    if (!address) return;
    const image = el("img", { src: address, alt: "The picture that was asked about", height: 120 });
    image.addEventListener("error", () => (this.parts.picture.hidden = true));
    this.parts.picture.replaceChildren(image);
  }

  show_gallery(wanted) {
    this.parts.gallery.hidden = !wanted;
    this.parts.gallery.replaceChildren();
    if (wanted) this.gallery = new Gallery(this.parts.gallery, this.actions);
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
    this.parts.entries.hidden = entries.length === 0 || Boolean(this.data.gallery);
    this.parts.entries.replaceChildren(...entries.map(entry));
  }

  show_file(file) {
    this.parts.file.hidden = !file;
    if (file) this.parts.file.replaceChildren(el("b", { title: file.name }, file.name), el("span", {}, bytes(file.size_bytes)));
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
  return el("li", {}, ...shown, el("div", {}, el("b", { title }, title), facts));
}

function bar() {
  return el("div", { class: "track", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, el("div"));
}
