// The worker that shows notices while no page is open. It asks for nothing, keeps nothing and answers for no page; what
// it is given says how urgent and which case, never who or what.
"use strict";

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data.json(); } catch { /* shown without words: something came, and a browser must show it */ }
  event.waitUntil(show(said));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { open, receipt } = event.notification.data;
  event.waitUntil(Promise.all([confirm(receipt, "read"), go(open)]));
});

async function show(said) {
  await self.registration.showNotification("Varde", {
    body: said.text ?? "",
    lang: said.language ?? "",
    tag: said.topic ?? "notice", // a newer one takes its place, and is heard again
    renotify: true,
    data: { open: said.open ?? "/", receipt: said.receipt ?? null },
  });
  await confirm(said.receipt, "delivered");
}

// Without this word the server goes on to the next channel, which is right when it cannot be said.
async function confirm(secret, what) {
  if (!secret) return;
  const body = JSON.stringify({ secret, event: what });
  const headers = { "Content-Type": "application/json" };
  await fetch("/notices/receipts", { method: "POST", headers, body, credentials: "omit" }).catch(() => {});
}

async function go(open) {
  const where = new URL(open, self.location.origin);
  if (where.origin !== self.location.origin) return;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => new URL(page.url).pathname === where.pathname);
  await (there ? there.focus() : self.clients.openWindow(where.href));
}
