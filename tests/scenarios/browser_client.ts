/** mqtt.js on the page of `browser_mqtt_test.ts`, for the test to call. */
import mqtt from "mqtt";

Object.assign(globalThis, { mqtt });
