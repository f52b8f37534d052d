// Words for numbers, and strangers' text as nodes. Nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const THUMBS = { "👍": { label: "Thumbs up", turn: false }, "👎": { label: "Thumbs down", turn: true } };
const LINK = /https?:\/\/[^\s<>"']+/gi;

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// m:ss or h:mm:ss, with so many decimals.
export function stamp(seconds, decimals = 0) {
  const unit = 10 ** decimals;
  const whole = Math.floor(Math.max(0, seconds) * unit + 1e-6);
  const [minutes, rest] = [Math.floor(whole / unit / 60), whole % (60 * unit)];
  const tail = `${String(Math.floor(rest / unit)).padStart(2, "0")}${decimals ? `.${String(rest % unit).padStart(decimals, "0")}` : ""}`;
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

export const thumb = (video, { at, from, to } = {}) => {
  const query = new URLSearchParams(Object.entries({ at, from, to }).filter(([, value]) => value !== undefined));
  return `/thumbs/${encodeURIComponent(video)}?${query}`;
};

export function webUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

export function outward(url, label) {
  const href = webUrl(url);
  if (!href) return document.createTextNode(label);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}

// Plain text with its links made clickable.
export function prose(text) {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]}]+$/, "");
    fragment.append(signed(text.slice(at, match.index)), outward(url, url));
    at = match.index + url.length;
  }
  fragment.append(signed(text.slice(at)));
  return fragment;
}

// Plain text whose thumbs are drawn: where no emoji font is, they would be boxes.
export function signed(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...text.split(/(👍|👎)/u).map((part) => (part in THUMBS ? sign(part) : part)));
  return fragment;
}

function sign(name) {
  const { label, turn } = THUMBS[name];
  const d = "M7 10.5 11 3c1.5 0 2.6 1.1 2.6 2.6V9h4.6c1.3 0 2.2 1.2 1.9 2.5l-1.5 7c-.2.9-1 1.5-1.9 1.5H7zM3 10.5h4V20H3z";
  const shape = svg("path", { d, ...(turn && { transform: "rotate(180 12 12)" }) });
  return svg("svg", { class: "thumb", viewBox: "0 0 24 24", role: "img", "aria-label": label }, shape);
}

export function percent(fraction) {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)} %`;
}

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function clock(atMs) {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

export const day = (atMs) => new Date(atMs).toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
