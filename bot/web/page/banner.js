// The banner at the top: a sentence, how far something is, a button, and a way to put it away.

import { pressBanner } from "./server.js";

const AWAY = "keaton-banner-away";

export class Banner {
  constructor(place) {
    this.text = place.querySelector("p");
    this.bar = place.querySelector("progress");
    this.button = place.querySelector("button.do");
    this.place = place;
    // What it covers of the messages is left free above the first of them.
    new ResizeObserver(() => place.parentElement.style.setProperty("--notice", `${place.offsetHeight}px`)).observe(place);
    this.away = localStorage.getItem(AWAY) ?? "";
    this.button.addEventListener("click", () => this.press());
    place.querySelector("button.close").addEventListener("click", () => this.putAway());
  }

  show({ text, share, button }) {
    this.text.textContent = text;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
    this.button.hidden = !button;
    this.button.textContent = button;
    this.button.disabled = false;
    // Put away is what it says, not how far that is: another sentence shows it again.
    this.place.hidden = !text || this.away === text.replace(/\d+/g, "");
  }

  async press() {
    this.button.disabled = true;
    try {
      await pressBanner();
    } catch {
      this.button.disabled = false;
    }
  }

  putAway() {
    this.away = this.text.textContent.replace(/\d+/g, "");
    localStorage.setItem(AWAY, this.away);
    this.place.hidden = true;
  }
}
