// The pictures of an answer. A new one is loaded before it takes the place of the old, so nothing flickers.

import { el } from "./format.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

// A video in a player: a preview runs by itself, over and over and without sound, unless people want nothing to move.
function player({ urls, alt, kind, name }) {
  const src = urls.light ?? urls.dark;
  const preview = kind === "preview";
  const video = el("video", { src, "aria-label": alt, controls: true, playsinline: true, preload: "auto", loop: preview });
  video.muted = preview;
  video.autoplay = preview && !still.matches;
  const save = el("a", { class: "save", href: src, download: name, hidden: preview }, `Save ${name}`);
  video.addEventListener("error", () => (save.hidden = false));
  return [video, save];
}

export function picture({ urls, alt, width, height }, eager = false) {
  const light = urls.light ?? urls.dark;
  const size = width && height ? { width, height } : {};
  const image = el("img", { src: light, alt, decoding: "async", loading: eager ? "eager" : "lazy", ...size });
  if (!urls.dark || urls.dark === light) return el("picture", {}, image);
  return el("picture", {}, el("source", { srcset: urls.dark, media: "(prefers-color-scheme: dark)" }), image);
}

// Keeps room for a picture before it comes.
function shape(figure, { width, height }) {
  figure.style.aspectRatio = width && height ? `${width} / ${height}` : "";
}

export class Pictures {
  constructor(node, enlarge) {
    this.node = node;
    this.enlarge = enlarge;
  }

  show(pictures) {
    this.node.hidden = pictures.length === 0;
    while (this.node.children.length > pictures.length) this.node.lastChild.remove();
    pictures.forEach((data, index) => this.place(this.node.children[index], data));
  }

  place(figure, data) {
    if (!figure) return this.node.append(this.frame(data));
    if (figure.dataset.address === JSON.stringify(data)) return;
    if (data.video || figure.classList.contains("video")) return figure.replaceWith(this.frame(data));
    figure.dataset.address = JSON.stringify(data);
    figure.className = data.kind;
    shape(figure, data);
    const next = picture(data, true);
    const swap = () => figure.dataset.address === JSON.stringify(data) && this.hang(figure, next);
    next.querySelector("img").decode().then(swap, swap);
  }

  frame(data) {
    if (data.video) return el("figure", { class: `${data.kind} video`, "data-address": JSON.stringify(data) }, ...player(data));
    const button = el("button", { type: "button", class: "enlarge", "aria-label": `Enlarge the ${data.kind}`, title: "Enlarge" });
    const figure = el("figure", { class: data.kind, "data-address": JSON.stringify(data) }, button);
    figure.addEventListener("click", () => this.enlarge(figure.className.split(" ")[0]));
    shape(figure, data);
    this.hang(figure, picture(data, true));
    return figure;
  }

  hang(figure, node) {
    figure.querySelector("picture")?.remove();
    figure.prepend(node);
    const image = node.querySelector("img");
    figure.classList.remove("lost");
    const lost = () => figure.classList.add("lost");
    image.complete && !image.naturalWidth && image.currentSrc ? lost() : image.addEventListener("error", lost);
  }
}
