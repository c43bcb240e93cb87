/// <reference lib="dom" />
/** The start of the page. */
import { LiveClient } from "./feed/client.ts";
import { App } from "./app.ts";

const url = new URL("/live", location.href);
url.protocol = url.protocol.replace("http", "ws");
new App((events) => new LiveClient(url, events));
