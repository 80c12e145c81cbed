/*
 * What there is without a network: a page that says so. Nothing else is kept, and the network always
 * comes first, so no page is ever older than its server.
 */
const CACHE = "fair-bingo-offline-{{version}}";
const SHELL = "/client/offline/index.html";
const FILES = [
  SHELL,
  "/client/offline/offline.js",
  ..."{{words}}".split(" "),
  "/client/game/storage.js",
  "/client/css/inks.css",
  "/client/css/base.css",
  "/client/css/controls.css",
  "/client/icon.svg",
];

addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
    await skipWaiting();
  };
  event.waitUntil(keep());
});

addEventListener("activate", (event) => {
  const takeOver = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(takeOver());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(orKept(request, SHELL));
  else if (FILES.includes(pathname)) event.respondWith(orKept(request, pathname));
});

/** What the network says, or without one what was kept. */
async function orKept(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(path);
    if (!kept) throw error;
    return kept;
  }
}
