// The list of messages: order, grouping, and where the reader is in it.

import { Message } from "./message.js";

const NEAR_END_PX = 80;
const ABOVE_PX = 10;
const GROUP_MS = 5 * 60 * 1000;

export class Log {
  constructor({ scroller, list, empty, newer, cover }, actions) {
    Object.assign(this, { scroller, list, empty, newer, cover, actions });
    this.known = new Map();
    this.sticks = true;
    this.target = Infinity;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    newer.addEventListener("click", () => this.toEnd(true));
    const watch = new ResizeObserver(() => this.sticks && this.toEnd());
    watch.observe(list);
    watch.observe(scroller);
    watch.observe(cover);
  }

  clear() {
    this.known.clear();
    this.list.replaceChildren();
  }

  take({ messages, oldest }) {
    for (const message of messages) message.gone ? this.drop(message.id) : this.put(message);
    for (const id of this.known.keys()) if (id < oldest) this.drop(id);
    this.empty.hidden = this.known.size > 0;
  }

  put(message) {
    const known = this.known.get(message.id);
    if (known) return known.update(message);
    const fresh = new Message(message, this.actions);
    const after = [...this.known.values()].filter((other) => other.id < message.id).at(-1);
    after ? after.node.after(fresh.node) : this.list.prepend(fresh.node);
    this.known.set(message.id, fresh);
    this.known = new Map([...this.known].sort(([a], [b]) => a - b));
    this.group();
    if (message.author === "you") this.sticks = true;
    if (!this.sticks) this.newer.hidden = false;
  }

  drop(id) {
    this.known.get(id)?.node.remove();
    if (this.known.delete(id)) this.group();
  }

  group() {
    let before = null;
    for (const { node, data } of this.known.values()) {
      const joined = before && before.author === data.author && data.at_ms - before.at_ms < GROUP_MS;
      node.classList.toggle("joined", Boolean(joined));
      before = data;
    }
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const end = Math.min(scrollHeight - clientHeight, this.target);
    this.sticks = scrollTop > end - NEAR_END_PX;
    if (this.sticks) this.newer.hidden = true;
  }

  // The end, but not past the start of an answer that is taller than the window; the banner covers its upper part.
  toEnd(smoothly = false) {
    const last = this.list.lastElementChild;
    const top = last?.classList.contains("by-keaton") ? last.offsetTop - this.cover.offsetHeight - ABOVE_PX : Infinity;
    this.target = Math.min(top, this.scroller.scrollHeight - this.scroller.clientHeight);
    this.sticks = true;
    this.newer.hidden = true;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.target, behavior: smoothly && !calm ? "smooth" : "instant" });
  }
}
