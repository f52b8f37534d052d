// Plays the kept file from the moment on. What a browser cannot play goes by the preview.

import { el, stamp } from "./format.js";

const KEYS = { ArrowLeft: -1, ArrowRight: 1, j: -10, l: 10, ",": -0.04, ".": 0.04 };

export class Player {
  constructor(node, fail) {
    Object.assign(this, { node, fail, shown: "" });
    this.button = el("button", { type: "button", class: "play", hidden: true });
    this.button.addEventListener("click", () => this.open());
  }

  // Takes what is shown; another frame closes the player.
  show(plot) {
    const at = plot ? `${plot.video} ${plot.at_s}` : "";
    if (at !== this.shown) this.close();
    this.shown = at;
    this.plot = plot;
    this.button.hidden = !plot?.cut;
    this.button.textContent = plot ? `Play from ${stamp(plot.at_s)}` : "";
  }

  open() {
    const { video, at_s } = this.plot;
    const screen = el("video", { src: `/videos/${encodeURIComponent(video)}`, controls: true, playsinline: true, preload: "metadata", tabindex: 0, "aria-label": "Video" });
    screen.addEventListener("loadedmetadata", () => {
      if (!screen.videoWidth) return this.giveUp();
      screen.currentTime = at_s;
      screen.play().catch(() => {}); // the reader presses play
    });
    screen.addEventListener("error", () => this.giveUp());
    screen.addEventListener("keydown", (event) => this.key(event, screen));
    this.screen = screen;
    const close = el("button", { type: "button", class: "close", "aria-label": "Close the player", title: "Close (Esc)" }, "×");
    close.addEventListener("click", () => this.leave());
    this.node.replaceChildren(screen, close);
    this.node.hidden = false;
    this.node.parentElement.classList.add("playing");
    screen.focus();
  }

  giveUp() {
    if (!this.screen) return;
    this.close();
    this.fail();
  }

  leave() {
    this.close();
    this.button.focus();
  }

  close() {
    this.screen?.pause();
    this.screen = null;
    this.node.hidden = true;
    this.node.replaceChildren();
    this.node.parentElement?.classList.remove("playing");
  }

  key(event, screen) {
    if (event.key === "Escape") return this.leave();
    if (event.key === "k") screen.paused ? screen.play() : screen.pause();
    else if (event.key in KEYS) screen.currentTime += KEYS[event.key];
    else return;
    event.preventDefault();
  }
}
