// What goes with the next message: a picture that is asked about, or the answer whose question it refines.

import { el } from "./format.js";
import { say, sendFile } from "./server.js";

export class Beside {
  constructor(node) {
    Object.assign(this, { node, changed: () => {} });
    this.clear();
  }

  get ready() {
    return Boolean(this.picture);
  }

  clear() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.picture = this.answer = this.address = null;
    this.node.hidden = true;
    this.node.replaceChildren();
    this.changed();
  }

  hold(file, find) {
    this.clear();
    this.picture = file;
    this.address = URL.createObjectURL(file);
    const go = el("button", { type: "button", class: "go" }, "Find this");
    go.addEventListener("click", find);
    this.show(el("img", { src: this.address, alt: "" }), `Looking for what ${file.name || "the picture"} shows. Words beside it are welcome.`, go);
  }

  refine(message) {
    this.clear();
    this.answer = message.id;
    this.show(`Refining ${asked(message.data.title)}: add what else should be in the frame`);
  }

  show(...parts) {
    const close = el("button", { type: "button", class: "stop", "aria-label": "Cancel" }, "Cancel");
    close.addEventListener("click", () => this.clear());
    this.node.replaceChildren(...parts.map((part) => (typeof part === "string" ? el("span", { class: "left" }, part) : part)), close);
    this.node.hidden = false;
    this.changed();
  }

  // Sends the message with what goes beside it.
  async send(text) {
    const { picture, answer } = this;
    if (picture) {
      const status = await sendFile(picture, () => {}, text).done;
      if (status !== 202) throw new Error(String(status));
    } else await say(text, text.startsWith("/") ? null : answer);
    this.clear();
  }
}

// The question alone: a title may go on with a verdict.
const asked = (title) => title.replace(/^(“.*”)?([^:”]*): [^”]*$/u, "$1$2");

export const isPicture = (file) => file.type.startsWith("image/");
