// Puts the page together.

import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Lightbox } from "./lightbox.js";
import { Log } from "./log.js";
import { Beside, isPicture } from "./beside.js";
import { follow, press } from "./server.js";
import { acceptFiles, Uploads } from "./uploads.js";

const by = (id) => document.getElementById(id);

const lightbox = new Lightbox(by("lightbox"));
const banner = new Banner(by("notice"));
const uploads = new Uploads(by("uploads"));
const actions = {
  say: (text) => (beside.clear(), send(text)),
  refine: (message) => {
    beside.refine(message);
    by("message").focus();
  },
  press: (message, id) => attempt(() => press(message, id)),
  enlarge: (message, kind) => lightbox.open(message, kind),
  changed: (message) => lightbox.changed(message),
  attempt: (request) => attempt(request),
  within: (name) => {
    composer.write(`video:"${name}" `);
    by("message").focus();
  },
};
const log = new Log({ scroller: by("log"), list: by("messages"), empty: by("empty"), newer: by("newer"), cover: by("notice") }, actions);
const beside = new Beside(by("beside"));
const composer = new Composer({ form: by("composer"), box: by("message"), send: by("send"), list: by("commands"), beside }, send);
beside.changed = () => composer.fit();

function send(text) {
  return attempt(() => beside.send(text));
}

async function attempt(request) {
  try {
    await request();
    by("trouble").hidden = true;
    return true;
  } catch {
    by("trouble").textContent = "That did not get through. Try again in a moment.";
    by("trouble").hidden = false;
    return false;
  }
}

function state(now) {
  by("state").dataset.state = now;
  by("state").textContent = now === "on" ? "Connected" : "Connection lost. Trying again";
}

function hello(settings, isNewRun) {
  by("trouble").hidden = true;
  banner.show(settings.banner);
  uploads.limit = settings.upload_limit_bytes;
  if (isNewRun) log.clear();
}

function typesAnywhere(event) {
  const elsewhere = event.target === document.body || event.target === by("log");
  if (elsewhere && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) by("message").focus();
}

// A link pasted anywhere lands in the box.
function pasteAnywhere(event) {
  const text = event.clipboardData?.getData("text").trim();
  if (!text || event.target.closest?.("textarea, dialog")) return;
  event.preventDefault();
  by("message").focus();
  composer.write(by("message").value + text);
}

// Videos are posted at once; a picture waits for words, or for the button.
function takeFiles(files) {
  const pictures = [...files].filter(isPicture);
  uploads.add([...files].filter((file) => !isPicture(file)));
  if (!pictures.length) return;
  beside.hold(pictures[0], () => composer.submitted());
  by("message").focus();
}

by("videos").addEventListener("click", () => send("/videos"));
by("attach").addEventListener("click", () => by("file").click());
by("file").addEventListener("change", () => {
  takeFiles(by("file").files);
  by("file").value = "";
});
document.addEventListener("keydown", typesAnywhere);
document.addEventListener("paste", pasteAnywhere);
acceptFiles(by("drop"), takeFiles);
follow({ hello, changes: (batch) => log.take(batch), banner: (what) => banner.show(what), state });
composer.fit();
if (matchMedia("(pointer: fine)").matches) by("message").focus();
