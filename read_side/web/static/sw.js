// Keeps the owner's app itself for times without a network; answers of the API are kept by the app, per account.
const CACHE = "shell-a1537e20fd42";
const SHELL = ["/","/assets/list-C-0kzkz9.js","/assets/list-Z2IeNE1z.css","/assets/owner-2s_oFoib.js","/icon-192.png","/icon.svg","/manifest.webmanifest"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("shell-") && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || /^\/(api|console|health|metrics)\b/.test(url.pathname)) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (SHELL.includes(url.pathname)) event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
});

/** The newest page where the network answers within four seconds, else the kept one. */
async function page(request) {
  const kept = await caches.match("/");
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, 4000, kept));
  return Promise.race([fetch(request).then((answer) => (answer.ok ? answer : kept)).catch(() => kept), late]);
}
