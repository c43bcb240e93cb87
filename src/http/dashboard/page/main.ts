/// <reference lib="dom" />
/** The start of the page. */
import { App } from "./app.ts";
import { connect } from "./connect.ts";

new App(connect);
