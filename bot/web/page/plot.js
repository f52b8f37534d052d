// The plot of an answer, drawn from its figures: point at it for time, score and frame; click to go there; drag for a cut.

import { el, svg, stamp } from "./format.js";

const ROOM = { left: 42, right: 12, top: 26, bottom: 30 };
const DRAG_PX = 8;
const PEEKS = 160;
const NAMES = { similarity: "similarity", softmax: "share" };

export class Plot {
  constructor(node, press) {
    Object.assign(this, { node, press, data: null, at: null, peeks: new Map() });
    this.chart = el("div", { class: "chart", role: "slider", tabindex: 0, "aria-orientation": "horizontal" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.hint = el("p", { class: "note" });
    node.append(this.chart, this.tip, this.hint);
    this.chart.addEventListener("pointermove", (event) => this.moved(event));
    this.chart.addEventListener("pointerdown", (event) => this.pressed(event));
    this.chart.addEventListener("pointerup", (event) => this.released(event));
    this.chart.addEventListener("pointerleave", () => this.left());
    this.chart.addEventListener("pointercancel", () => this.left());
    this.chart.addEventListener("blur", () => this.left());
    this.chart.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(node);
  }

  show(data, label) {
    this.node.hidden = !data;
    if (data?.video !== this.data?.video) this.peeks.clear();
    this.data = data;
    this.label = label;
    this.from = null;
    this.left();
    if (data) this.draw();
  }

  get width() {
    return Math.max(220, this.node.clientWidth);
  }

  get height() {
    return Math.max(160, this.chart.clientHeight || 240);
  }

  x(time) {
    return ROOM.left + (time / this.data.duration_s) * (this.width - ROOM.left - ROOM.right);
  }

  y(value) {
    const [low, high] = this.range;
    return this.height - ROOM.bottom - ((value - low) / (high - low)) * (this.height - ROOM.top - ROOM.bottom);
  }

  time(x) {
    const share = (x - ROOM.left) / (this.width - ROOM.left - ROOM.right);
    return Math.min(1, Math.max(0, share)) * this.data.duration_s;
  }

  draw() {
    if (!this.data || this.node.hidden || !this.node.clientWidth) return;
    const { lines, band, duration_s, style } = this.data;
    const values = lines.flatMap((line) => line.values);
    const low = Math.min(...values, band ? band[0] : Infinity);
    const high = Math.max(...values, band ? band[1] : -Infinity);
    const span = Math.max(high - low, style === "similarity" ? 0.08 : 1e-6);
    this.range = [low - 0.06 * span, low + 1.18 * span];
    this.node.classList.toggle("several", lines.length > 1);
    this.chart.replaceChildren(svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, "aria-hidden": "true" }, ...this.parts()));
    this.hint.replaceChildren(...this.legend());
    this.chart.setAttribute("aria-label", `Plot. ${this.label}. Arrow keys move, Enter goes there`);
    this.chart.setAttribute("aria-valuemin", 0);
    this.chart.setAttribute("aria-valuemax", Math.round(duration_s));
    this.tell(this.data.at_s);
  }

  *parts() {
    const { lines, band, marks, at_s, cut_s, duration_s, style } = this.data;
    const [left, right, floor] = [ROOM.left, this.width - ROOM.right, this.height - ROOM.bottom];
    if (band) {
      yield svg("rect", { class: "band", x: left, width: right - left, y: this.y(band[1]), height: Math.max(0, this.y(band[0]) - this.y(band[1])) });
      yield svg("line", { class: "bar", x1: left, x2: right, y1: this.y(band[1]), y2: this.y(band[1]) });
    }
    for (const value of ticks(...this.range, 4)) {
      if (this.y(value) < ROOM.top - 4) continue;
      yield svg("line", { class: "grid", x1: left, x2: right, y1: this.y(value), y2: this.y(value) });
      yield svg("text", { class: "tick", x: left - 6, y: this.y(value) + 4, "text-anchor": "end" }, score(value, style));
    }
    const room = Math.max(2, Math.floor((right - left) / 80));
    for (const time of times(duration_s, room)) yield svg("text", { class: "tick", x: this.x(time), y: floor + 16, "text-anchor": time ? "middle" : "start" }, stamp(time));
    yield svg("text", { class: "axis", x: right, y: this.height - 3, "text-anchor": "end" }, "time");
    yield svg("text", { class: "axis", x: 2, y: 12 }, NAMES[style]);
    for (const mark of marks) yield svg("rect", { class: mark.current ? "span current" : "span", x: this.x(mark.start_s), width: Math.max(2, this.x(mark.end_s) - this.x(mark.start_s)), y: ROOM.top - 8, height: floor - ROOM.top + 8 });
    if (cut_s) yield svg("rect", { class: "cut", x: this.x(cut_s[0]), width: Math.max(2, this.x(cut_s[1]) - this.x(cut_s[0])), y: ROOM.top - 8, height: floor - ROOM.top + 8 });
    for (const [index, line] of lines.entries()) yield svg("path", { class: `curve c${index}`, d: this.path(line.values) });
    yield svg("line", { class: "here", x1: this.x(at_s), x2: this.x(at_s), y1: ROOM.top - 8, y2: floor });
    for (const mark of [...marks].reverse()) yield* this.badge(mark);
    this.cursor = svg("line", { class: "cursor", y1: ROOM.top - 8, y2: floor, visibility: "hidden" });
    this.drag = svg("rect", { class: "cut", y: ROOM.top - 8, height: floor - ROOM.top + 8, visibility: "hidden" });
    yield this.drag;
    yield this.cursor;
  }

  path(values) {
    return values.map((value, index) => `${index ? "L" : "M"}${this.x(this.data.times_s[index]).toFixed(1)} ${this.y(value).toFixed(1)}`).join("");
  }

  *badge(mark) {
    const [x, y] = [this.x(mark.peak_s), Math.max(11, this.y(mark.score) - 14)];
    yield svg("circle", { class: mark.current ? "badge current" : "badge", cx: x, cy: y, r: 9 });
    yield svg("text", { class: mark.current ? "number current" : "number", x, y: y + 4, "text-anchor": "middle" }, String(mark.number));
  }

  *legend() {
    const { lines, band, cut } = this.data;
    if (lines.length > 1) for (const [index, line] of lines.entries()) yield el("span", { class: `key c${index}` }, line.text);
    if (band) yield el("span", { class: "key grey" }, "grey: usual for frames without it");
    yield el("span", { class: "how" }, cut ? "Click to go there, drag to cut" : "Click to go there");
  }

  // The highest score near a time, of the line that is highest there.
  score(time) {
    const { times_s, lines } = this.data;
    let best = 0;
    for (let index = 1; index < times_s.length; index += 1) if (Math.abs(times_s[index] - time) < Math.abs(times_s[best] - time)) best = index;
    return Math.max(...lines.map((line) => line.values[best]));
  }

  tell(time) {
    this.at = time;
    this.chart.setAttribute("aria-valuenow", Math.round(time));
    this.chart.setAttribute("aria-valuetext", `${stamp(time, 1)}, ${NAMES[this.data.style]} ${score(this.score(time), this.data.style)}`);
  }

  point(time) {
    this.tell(time);
    for (const name of ["x1", "x2"]) this.cursor.setAttribute(name, this.x(time));
    this.cursor.setAttribute("visibility", "visible");
    this.tip.hidden = false;
    this.tip.replaceChildren(this.peek(time), el("span", {}, `${stamp(time, 1)} · ${score(this.score(time), this.data.style)}`));
    const wide = this.tip.offsetWidth;
    this.tip.style.left = `${Math.min(Math.max(0, this.x(time) - wide / 2), this.width - wide)}px`;
  }

  // The frame at a time, small; each is asked for once.
  peek(time) {
    const step = Math.max(1, this.data.duration_s / PEEKS);
    const at = Math.round(time / step) * step;
    if (!this.peeks.has(at)) {
      const image = el("img", { src: `/thumbs/${encodeURIComponent(this.data.video)}?at=${at.toFixed(2)}`, alt: "", width: 128, height: 72 });
      image.addEventListener("error", () => (image.hidden = true));
      this.peeks.set(at, image);
    }
    return this.peeks.get(at);
  }

  left() {
    this.from = null;
    this.tip.hidden = true;
    for (const node of [this.cursor, this.drag]) node?.setAttribute("visibility", "hidden");
  }

  here(event) {
    return this.time(((event.clientX - this.chart.getBoundingClientRect().left) / this.chart.clientWidth) * this.width);
  }

  pressed(event) {
    if (event.button) return;
    this.from = event.clientX;
    this.chart.setPointerCapture(event.pointerId);
  }

  moved(event) {
    if (!this.data) return;
    const time = this.here(event);
    this.point(time);
    if (this.from === null || !this.data.cut || Math.abs(event.clientX - this.from) < DRAG_PX) return;
    const [start, end] = this.stretch(event);
    this.drag.setAttribute("x", this.x(start));
    this.drag.setAttribute("width", this.x(end) - this.x(start));
    this.drag.setAttribute("visibility", "visible");
  }

  stretch(event) {
    const start = this.here({ clientX: this.from });
    return [start, this.here(event)].sort((one, other) => one - other);
  }

  released(event) {
    if (this.from === null) return;
    const ms = (seconds) => String(Math.round(seconds * 1000));
    if (this.data.cut && Math.abs(event.clientX - this.from) >= DRAG_PX) {
      const [start, end] = this.stretch(event);
      this.press(this.data.cut.replace("{start}", ms(start)).replace("{end}", ms(end)));
    } else this.go(this.here(event));
    this.left();
  }

  go(time) {
    this.press(this.data.go.replace("{at}", String(Math.round(time * 1000))));
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
    const to = { Home: 0, End: this.data.duration_s }[event.key] ?? (by ? this.at + by : null);
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter") this.go(this.at);
    else if (event.key === "Escape") this.left();
    else if (to !== null) this.point(Math.min(this.data.duration_s, Math.max(0, to)));
    else return;
    event.preventDefault();
  }
}

function score(value, style) {
  if (style === "similarity") return value.toFixed(2);
  return value > 0 && value < 0.1 ? `${(100 * value).toFixed(1)} %` : `${Math.round(100 * value)} %`;
}

function* ticks(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw);
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) yield at * step;
}

function* times(duration, most) {
  const step = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].find((one) => duration / one <= most) ?? duration;
  for (let at = 0; at <= duration * 0.94; at += step) yield at;
}
