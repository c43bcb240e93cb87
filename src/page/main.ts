/// <reference lib="dom" />
/** Starts the dashboard in the browser. */
import { App } from "./app.ts";
import { LiveClient } from "./feed/client.ts";

/** `?kiosk=1` shows only the map, the counts and the connection. */
const kiosk = new URLSearchParams(location.search).get("kiosk") === "1";
document.body.classList.toggle("kiosk", kiosk);

const url = new URL("live", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
new App((events) => new LiveClient(url, events));
