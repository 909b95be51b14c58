// Keeps `#live` true: hears that something changed, asks for the part again, and says so when it can no longer hear.
// One stream a browser: the tab that holds the lock listens, the others hear it from there. What people must hear of is
// asked for at once; what only moves a line now and then, however many readings come.
"use strict";
(() => {
  const STALE_MS = 8000; // four signs of life; the server sends one every two seconds
  const LINES_MS = 4000; // lines and numbers may lag behind so long
  const REST_MS = 250; // between an answer and the next question
  const SAID_MS = 30000; // how long the answer to a click is left standing
  const AGE_MS = 30000; // ages such as "12 min" are asked for again this often
  const root = document.documentElement;
  const announce = document.getElementById("announce");
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("varde-live") : null;
  let heard = null; // the last sign of life
  let goodAt = performance.now(); // when the page was last known to show the truth
  let askedAt = performance.now();
  let asking = false;
  let restUntil = 0;
  let later = 0;
  let known = alerts();

  function live() { return document.getElementById("live"); }
  function alerts() { return new Set([...document.querySelectorAll("#live [data-alert]")].map((row) => row.id)); }
  function say(text) { announce.textContent = ""; announce.textContent = text; }

  function hear(beat) {
    heard = beat;
    root.dataset.beat = String(beat.number);
    const shown = Number(live().dataset.number);
    if (shown < beat.urgent || shown > beat.number) { // greater: the server began anew
      ask();
      return;
    }
    good(beat.at);
    if (performance.now() - askedAt > (shown < beat.number ? LINES_MS : AGE_MS)) ask();
  }

  function good(at) {
    goodAt = performance.now();
    delete root.dataset.stale;
    for (const each of document.querySelectorAll("[data-as-of], [data-stale-since]")) each.textContent = at;
  }

  function ask() {
    if (asking || document.querySelector("#live .htmx-request")) return;
    const rest = restUntil - performance.now();
    if (rest > 0) {
      clearTimeout(later);
      later = setTimeout(ask, rest);
      return;
    }
    asking = true;
    askedAt = performance.now();
    if (window.htmx) {
      window.htmx.trigger(live(), "varde:changed");
      setTimeout(() => { asking = false; }, 5000); // in case no answer came
    } else {
      plainly();
    }
  }

  // Without htmx: the same part, swapped as a whole, unless somebody is filling in a form.
  async function plainly() {
    try {
      if (live().querySelector("details.close[open]")) return;
      const answer = await fetch(live().getAttribute("hx-get"), { headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      live().outerHTML = await answer.text();
      shown();
    } catch { /* the sign of life stays out, and the page calls itself stale */ } finally { answered(); }
  }

  function answered() {
    asking = false;
    restUntil = performance.now() + REST_MS;
  }

  function shown() {
    answered();
    const part = live();
    if (!part) return;
    const now = alerts();
    const fresh = [...now].filter((id) => !known.has(id));
    known = now;
    for (const id of fresh) document.getElementById(id).classList.add("is-new");
    if (keep()) {
      document.getElementById("flash").focus(); // the button that was pressed is gone: the keyboard goes on from here
    } else if (fresh.length) {
      const row = document.getElementById(fresh[0]);
      const name = row.closest(".case")?.querySelector("h3")?.textContent ?? "";
      say(`${part.dataset.newOne}: ${row.querySelector(".rule").textContent}. ${name}`);
    }
    count("worklist", part.dataset.waiting);
    count("quarantine", part.dataset.kept);
    title(part);
    if (heard && Number(part.dataset.number) >= heard.urgent) good(heard.at);
    else if (heard) ask();
    document.dispatchEvent(new Event("varde:shown"));
  }

  // What was said of the last click stands where updates do not reach, until the reader has gone on.
  function keep() {
    const flash = live().querySelector("#flash");
    if (!flash) return false;
    flash.tabIndex = -1;
    document.getElementById("said").replaceChildren(flash);
    setTimeout(() => { if (document.activeElement !== flash) flash.remove(); }, SAID_MS);
    return true;
  }

  function count(name, value) {
    const badge = document.getElementById(`count-${name}`);
    if (!badge || !value) return;
    badge.textContent = value;
    badge.dataset.color = value === "0" ? "neutral" : "warning";
  }

  function title(part) {
    const waiting = Number(part.dataset.waiting);
    root.dataset.title = document.title = `${waiting ? `(${waiting}) ` : ""}${part.dataset.title} – Varde`;
  }

  function listen() {
    const stream = new EventSource("/live");
    stream.onmessage = (event) => {
      const beat = JSON.parse(event.data);
      channel?.postMessage(beat);
      hear(beat);
    };
    window.addEventListener("pagehide", () => stream.close(), { once: true });
    return new Promise(() => {}); // the lock is held as long as the tab lives
  }

  if (!live()) return;
  if (channel) channel.onmessage = (event) => hear(event.data);
  if (navigator.locks && channel) navigator.locks.request("varde-live", listen);
  else listen();

  document.addEventListener("htmx:after:swap", shown);
  document.addEventListener("htmx:finally:request", answered);
  setInterval(() => {
    if (performance.now() - goodAt > STALE_MS) root.dataset.stale = "yes";
  }, 1000);
  title(live());
  keep();
})();
