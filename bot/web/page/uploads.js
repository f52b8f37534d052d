// Files on their way: one after the other, each with its progress and a way to stop it.

import { bytes, el, percent } from "./format.js";
import { sendFile } from "./server.js";

export class Uploads {
  constructor(node) {
    this.node = node;
    this.limit = Infinity;
    this.queue = Promise.resolve();
  }

  add(files) {
    for (const file of files) {
      const row = this.row(file);
      if (file.size > this.limit) this.fail(row, `is larger than ${bytes(this.limit)}`);
      else this.queue = this.queue.then(() => this.send(file, row));
    }
  }

  row(file) {
    const row = { stopped: false, stop: () => {} };
    row.state = el("span", { class: "left" }, "waiting");
    row.fill = el("div");
    row.track = el("div", { class: "track", role: "progressbar", "aria-label": `Sending ${file.name}` }, row.fill);
    row.close = el("button", { type: "button", class: "stop", "aria-label": `Stop sending ${file.name}` }, "Stop");
    row.close.addEventListener("click", () => this.drop(row));
    row.node = el("div", { class: "upload" }, el("p", {}, el("b", {}, file.name), row.state, row.close), row.track);
    this.node.append(row.node);
    return row;
  }

  async send(file, row) {
    if (row.stopped) return;
    const sending = sendFile(file, (fraction) => this.progress(row, fraction));
    row.stop = sending.stop;
    const status = await sending.done;
    if (status === 202) row.node.remove();
    else if (status === 413) this.fail(row, `is larger than ${bytes(this.limit)}`);
    else if (status === 429) this.fail(row, "has to wait: too many files are here already. Send it when others are done");
    else if (status === 408) this.fail(row, "took too long to send");
    else if (status === 403) this.fail(row, "could not be sent: open the address that Keaton printed at its start");
    else if (status >= 0) this.fail(row, "could not be sent");
  }

  progress(row, fraction) {
    row.state.textContent = fraction === null ? "sending" : percent(fraction);
    row.track.setAttribute("aria-valuenow", Math.floor((fraction ?? 0) * 100));
    row.fill.style.transform = `scaleX(${fraction ?? 0})`;
  }

  fail(row, why) {
    row.node.classList.add("failed");
    row.node.setAttribute("role", "alert");
    row.state.textContent = why;
    row.track.remove();
    row.close.textContent = "OK";
    row.close.setAttribute("aria-label", "Put away");
  }

  drop(row) {
    row.stopped = true;
    row.stop();
    row.node.remove();
  }
}

// Lets files be dropped anywhere and pasted.
export function acceptFiles(cover, take) {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const show = (by) => {
    depth = Math.max(0, depth + by);
    cover.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => carries(event) && show(1));
  document.addEventListener("dragleave", (event) => carries(event) && show(-1));
  document.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(-depth);
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => event.clipboardData?.files.length && take(event.clipboardData.files));
}
