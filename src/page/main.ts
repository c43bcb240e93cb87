/// <reference lib="dom" />
/** Starts the dashboard in the browser. */
import { messageOf } from "../common/errors.ts";
import { App } from "./app.ts";
import { LiveClient } from "./feed/client.ts";

/**
 * `?kiosk=1` shows only the map, the counts and the connection; `?kiosk=zones`
 * only the list of zones and the connection.
 */
const kiosk = new URLSearchParams(location.search).get("kiosk");
const zonesOnly = kiosk === "zones";
document.body.classList.toggle("kiosk", kiosk === "1" || zonesOnly);
document.body.classList.toggle("zones-only", zonesOnly);

const url = new URL("live", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
try {
  new App({ connect: (events) => new LiveClient(url, events), zonesOnly });
  document.body.classList.remove("booting");
} catch (error) {
  // Otherwise the page would say "Connecting" for ever.
  showStartFailure(messageOf(error));
  throw error;
}

/** Uses no module of the page, any of which may have failed. */
function showStartFailure(reason: string): void {
  document.body.classList.remove("booting");
  const set = (id: string, text: string) => {
    const element = document.getElementById(id);
    if (element === null) return;
    element.textContent = text;
    element.hidden = false;
  };
  set("pill-title", "Not started");
  set(
    "notice",
    `The program of this page failed: ${reason}. Reload the page; if that does not help, use a current browser.`,
  );
}
