// The worklist's own: a sound and a title for what is urgent and nobody has, and shortcut keys. Sound and keys are off
// until the reader switches them on, and stay as they were chosen in this browser.
"use strict";
(() => {
  const REPEAT_MS = 20000; // of the sound, as long as something urgent waits
  const FLASH_MS = 1000;
  const TONES = [880, 660, 880]; // Hz, one after the other
  const TONE_S = 0.16;
  const root = document.documentElement;
  const tools = document.getElementById("tools");
  const buttons = { sound: document.getElementById("sound"), keys: document.getElementById("keys") };
  let audio = null;
  let before = 0; // how many were urgent when we last looked
  let rangAt = -REPEAT_MS;

  function is(name) { return buttons[name].getAttribute("aria-pressed") === "true"; }
  function kept(name) { try { return localStorage.getItem(`varde-${name}`) === "on"; } catch { return false; } }
  function turn(name, on) {
    buttons[name].setAttribute("aria-pressed", String(on));
    try { localStorage.setItem(`varde-${name}`, on ? "on" : "off"); } catch { /* then it holds for this page */ }
    document.getElementById("legend").hidden = !is("keys");
  }
  function urgent() { return Number(document.getElementById("live")?.dataset.urgent ?? 0); }

  // --- sound

  function wake() {
    audio ??= new AudioContext();
    return audio.resume().catch(() => {});
  }

  async function ring() {
    rangAt = performance.now();
    await wake();
    document.getElementById("sound-waits").hidden = audio.state === "running";
    if (audio.state !== "running") return;
    const once = () => TONES.forEach((pitch, place) => tone(pitch, audio.currentTime + place * TONE_S));
    if (!navigator.locks) once();
    else navigator.locks.request("varde-sound", { ifAvailable: true }, (mine) => {
      if (!mine) return undefined; // another tab of this browser sounds already
      once();
      return new Promise((over) => { setTimeout(over, TONES.length * TONE_S * 1000); });
    });
    root.dataset.rang = String(Number(root.dataset.rang ?? 0) + 1);
  }

  function tone(pitch, at) {
    const source = audio.createOscillator();
    const loudness = audio.createGain();
    source.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + TONE_S);
    source.connect(loudness).connect(audio.destination);
    source.start(at);
    source.stop(at + TONE_S);
  }

  function look() {
    const now = urgent();
    const isDue = now > before || (now > 0 && performance.now() - rangAt >= REPEAT_MS);
    before = now;
    if (isDue && is("sound")) ring();
  }

  // --- title

  function flash() {
    const plain = root.dataset.title;
    if (!plain) return;
    const isPlain = document.title === plain;
    document.title = urgent() > 0 && isPlain ? `▲ ${tools.dataset.urgent} – Varde` : plain;
  }

  // --- keys

  function groups() { return [...document.querySelectorAll("#live .alert")]; }
  function current() { return document.activeElement?.closest?.("#live .alert") ?? null; }

  function step(by) {
    const all = groups();
    const here = all.indexOf(current());
    const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function open(details) {
    if (!details) return;
    details.open = true;
    details.querySelector("form input:not([type=hidden]), form button")?.focus();
  }

  const DOES = {
    j: () => step(1),
    k: () => step(-1),
    a: () => current()?.querySelector("form[action$='/acknowledge'] button")?.click(),
    c: () => open(current()?.querySelector("details.close:not(.more)")),
    m: () => open(current()?.querySelector("details.more")),
    o: () => current()?.closest(".case").querySelector("h3 a").click(),
    "/": () => document.getElementById("find-name")?.focus(),
  };

  function isTyping(target) {
    return target.closest?.("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && current()) {
      const group = current();
      for (const each of group.querySelectorAll("details[open]")) each.open = false;
      group.focus();
      return;
    }
    const does = DOES[event.key];
    if (!does || !is("keys") || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    event.preventDefault();
    does();
  });

  tools.hidden = false;
  for (const name of Object.keys(buttons)) {
    turn(name, kept(name));
    buttons[name].addEventListener("click", () => {
      turn(name, !is(name));
      if (name === "sound" && is(name)) ring(); // so that the reader hears what it will be
      else if (name === "sound") document.getElementById("sound-waits").hidden = true;
    });
  }
  document.addEventListener("pointerdown", () => { if (is("sound") && audio?.state === "suspended") ring(); });
  document.addEventListener("varde:shown", look);
  setInterval(look, FLASH_MS);
  setInterval(flash, FLASH_MS);
  look();
})();
