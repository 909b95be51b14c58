// Switches notices on in this browser: asks for leave, subscribes at the maker's push service, and hands the address in
// with the form. Says which of the browsers on the page is this one.
"use strict";
(() => {
  const WORKER = "/static/notices.js"; // its scope is its folder, so it comes between no page and the server
  const form = document.getElementById("switch-on");
  const list = document.getElementById("browsers");

  function tell(what) {
    for (const each of document.querySelectorAll("[data-say]")) each.hidden = each.dataset.say !== what;
    form.hidden = what !== null && what !== "failed";
  }
  function bytes(text) {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(raw, (each) => each.charCodeAt(0));
  }
  function text(buffer) {
    const raw = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
  async function digest(of) {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(of));
    return Array.from(new Uint8Array(hash), (each) => each.toString(16).padStart(2, "0")).join("");
  }
  async function current() {
    const worker = await navigator.serviceWorker.getRegistration(WORKER);
    return worker ? worker.pushManager.getSubscription() : null;
  }

  async function switchOn() {
    if (await Notification.requestPermission() !== "granted") return tell("denied");
    const worker = await navigator.serviceWorker.register(WORKER);
    const known = await worker.pushManager.getSubscription();
    if (known) await known.unsubscribe(); // it may be bound to a key that is no longer ours
    await started(worker);
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
    form.elements.endpoint.value = made.endpoint;
    form.elements.p256dh.value = text(made.getKey("p256dh"));
    form.elements.auth.value = text(made.getKey("auth"));
    form.submit();
    return undefined;
  }
  async function started(worker) {
    const coming = worker.installing ?? worker.waiting;
    if (worker.active || !coming) return;
    await new Promise((done) => coming.addEventListener("statechange", () => coming.state === "activated" && done()));
  }

  async function look() {
    if (Notification.permission === "denied") return tell("denied");
    const mine = await current();
    const row = mine && list?.querySelector(`[data-digest="${await digest(mine.endpoint)}"]`);
    if (!row) return tell(null);
    row.querySelector(".mark").hidden = false;
    row.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      mine.unsubscribe().finally(() => event.target.submit()); // ours is the list that counts
    });
    return tell("on");
  }

  document.querySelector('[data-say="scripts"]').hidden = true;
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return tell("unable");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    switchOn().catch(() => tell("failed"));
  });
  return void look().catch(() => tell("unable"));
})();
