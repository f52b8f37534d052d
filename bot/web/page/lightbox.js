// A picture over the whole window. The arrow keys walk the moments of its answer; Escape closes (the dialog's own).

import { picture } from "./pictures.js";

export class Lightbox {
  constructor(dialog) {
    this.dialog = dialog;
    this.stage = dialog.querySelector(".stage");
    this.caption = dialog.querySelector(".caption");
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target.tagName !== "IMG" && dialog.close());
    dialog.addEventListener("keydown", (event) => this.key(event));
    // The event comes late: by then the next picture may stand there.
    dialog.addEventListener("close", () => dialog.open || this.stage.replaceChildren());
  }

  open(message, kind) {
    this.message = message;
    this.kind = kind;
    this.shown = "";
    this.dialog.showModal();
    this.changed(message);
  }

  changed(message) {
    if (!this.dialog.open || message !== this.message) return;
    const data = (message.data.pictures ?? []).find((one) => one.kind === this.kind);
    if (!data) return this.dialog.close();
    if (JSON.stringify(data) === this.shown) return;
    this.shown = JSON.stringify(data);
    this.stage.replaceChildren(picture(data, true));
    this.caption.textContent = data.alt;
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by && this.message.moments.step(by)) event.preventDefault();
  }
}
