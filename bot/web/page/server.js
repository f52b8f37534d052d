// The line to the server: requests one way, the stream the other, which comes back by itself.

const RETRY_MS = [300, 700, 1500, 3000, 5000];

export const tab = recall();

function recall() {
  const known = sessionStorage.getItem("keaton-tab");
  if (known) return known;
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("keaton-tab", fresh);
  return fresh;
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    keepalive: true, // what is sent while the page closes arrives all the same
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client: tab, ...body }),
  });
  if (!response.ok) throw new Error(String(response.status));
}

export const say = (text, about = null) => post("/api/messages", about === null ? { text } : { text, about });

export const forget = (video) => post("/api/forget", { video });

export async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

export const press = (message, id) => post("/api/actions", { message, id });

export const pressBanner = () => post("/api/banner", {});

// Sends a file; gives {done, stop}: a promise of the HTTP status (0: no connection, -1: stopped), and a way to stop.
export function sendFile(file, onProgress, text = "") {
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ client: tab, name: file.name || "picture.png", ...(text && { text }) });
  const done = new Promise((resolve) => {
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : null);
    request.onload = () => resolve(request.status);
    request.onerror = () => resolve(0);
    request.onabort = () => resolve(-1);
  });
  request.open("POST", `/api/files?${query}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, stop: () => request.abort() };
}

// Calls hello(settings, isNewRun), changes(batch), banner(what) and state("on" | "lost") as they come.
export function follow({ hello, changes, banner, state }) {
  let run = "";
  let since = 0;
  let failures = 0;
  let socket = null;
  let timer = 0;

  function connect() {
    clearTimeout(timer);
    const query = new URLSearchParams({ client: tab, run, since });
    socket = new WebSocket(`ws://${location.host}/api/stream?${query}`);
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = () => retry();
  }

  function take(data) {
    failures = 0;
    if (data.run) {
      state("on");
      const fresh = data.run !== run;
      run = data.run;
      hello(data, fresh);
    } else if (data.banner) {
      banner(data.banner);
    } else {
      since = data.clock;
      changes(data);
    }
  }

  function retry() {
    state("lost");
    timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  }

  function hurry() {
    if (socket.readyState === WebSocket.CLOSED) connect();
  }

  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  connect();
}
