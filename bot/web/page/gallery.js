// All videos that are posted here: pictures, a search in their names, and forgetting, which can be taken back for a while.

import { day, el, outward, thumb } from "./format.js";
import { forget, get } from "./server.js";

const UNDO_MS = 8000;
const FIRST = 24;

export class Gallery {
  constructor(node, actions) {
    Object.assign(this, { node, actions, videos: [], going: new Map(), most: FIRST });
    this.search = el("input", { type: "search", "aria-label": "Search in the names of the videos", placeholder: "Search in the names" });
    this.search.addEventListener("input", () => this.draw());
    this.list = el("ul", { class: "tiles" });
    this.none = el("p", { class: "none", hidden: true });
    this.further = el("button", { type: "button", class: "chip", hidden: true }, "Show more");
    this.further.addEventListener("click", () => ((this.most += FIRST), this.draw()));
    this.undo = el("div", { class: "undo", role: "status" });
    node.append(this.search, this.list, this.none, this.further, this.undo);
    addEventListener("pagehide", () => this.going.forEach((_, id) => this.finish(id)));
    this.load();
  }

  async load() {
    try {
      this.videos = (await get("/api/videos")).videos;
      this.draw();
    } catch {
      this.none.hidden = false;
      this.none.textContent = "The list could not be read. Try again in a moment.";
    }
  }

  draw() {
    const typed = this.search.value.trim().toLowerCase();
    const fitting = this.videos.filter(({ id, name, poster }) => !this.going.has(id) && `${name} ${poster}`.toLowerCase().includes(typed));
    this.list.replaceChildren(...fitting.slice(0, this.most).map((video) => this.tile(video)));
    this.further.hidden = fitting.length <= this.most;
    this.search.hidden = this.videos.length < 4;
    this.none.hidden = fitting.length > 0;
    this.none.textContent = typed ? "No video here has such a name." : this.going.size ? "" : "There is no video here.";
  }

  tile(video) {
    const { id, name, length, poster, at_ms, url } = video;
    const image = el("img", { src: thumb(id), alt: "", loading: "lazy", width: 240, height: 135 });
    image.addEventListener("error", () => image.classList.add("gone"));
    const seek = el("button", { type: "button", title: `Search in ${name}`, "aria-label": `Search in ${name}` }, "Search in it");
    seek.addEventListener("click", () => this.actions.within(name));
    const drop = el("button", { type: "button", "aria-label": `Forget ${name}` }, "Forget");
    drop.addEventListener("click", () => this.drop(video));
    const facts = el("span", { class: "facts" }, `${length} · ${poster} · ${day(at_ms)}`);
    const links = url ? [outward(url, "Open")] : [];
    return el("li", {}, el("span", { class: "shot" }, image), el("b", { title: name }, name), facts, el("span", { class: "do" }, seek, drop, ...links));
  }

  drop({ id, name }) {
    const back = el("button", { type: "button", class: "chip" }, "Undo");
    const row = el("p", {}, el("span", { title: name }, `Forgetting ${name}`), back);
    back.addEventListener("click", () => this.keep(id));
    this.going.set(id, { row, timer: setTimeout(() => this.finish(id), UNDO_MS) });
    this.undo.append(row);
    this.draw();
    back.focus();
  }

  keep(id) {
    clearTimeout(this.going.get(id).timer);
    this.settle(id);
    this.draw();
  }

  settle(id) {
    this.going.get(id)?.row.remove();
    this.going.delete(id);
  }

  finish(id) {
    if (!this.going.has(id)) return;
    clearTimeout(this.going.get(id).timer);
    this.videos = this.videos.filter((video) => video.id !== id);
    this.settle(id);
    this.actions.attempt(() => forget(id)).then((done) => done || this.load());
    this.draw();
  }
}
