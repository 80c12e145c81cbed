const WORKER = "/client/service-worker.js";

/** Have a page for when there is no network. */
export function beReadyForOffline() {
  const registered = navigator.serviceWorker?.register(trustedUrl(), { scope: "/" });
  registered?.catch(() => {}); // a browser that will not shows its own page
}

/** The policy lets no script in but by a name that is trusted: this one. */
const trustedUrl = () =>
  globalThis.trustedTypes
    ? trustedTypes
        .createPolicy("service-worker", { createScriptURL: () => WORKER })
        .createScriptURL("")
    : WORKER;
