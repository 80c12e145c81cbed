const WORKER = "/client/service-worker.js";

/**
 * Have a page for when there is no network. It is no loss where a browser will not.
 */
export function beReadyForOffline() {
  const { serviceWorker } = navigator;
  const url = trustedUrl();
  serviceWorker?.register(url, { scope: "/" }).catch((error) => console.info("no offline page:", error.message));
}

/** The policy lets no script in but by a name that is trusted: this one. */
const trustedUrl = () =>
  globalThis.trustedTypes
    ? trustedTypes
        .createPolicy("service-worker", { createScriptURL: () => WORKER })
        .createScriptURL("")
    : WORKER;
