import { assertLayer, Topics } from "../protocol/mod.ts";
import { Asker, type MapView } from "../request/mod.ts";
import { Exit } from "./exit.ts";
import type { BrokerFlags, FormatFlags, RequestFlags } from "./flags.ts";
import { brokerOf, caOf, uniqueName } from "./link.ts";
import { wantsColor, writeOut } from "./output.ts";
import { renderJson, renderTable, renderTsv } from "./render.ts";

/** `occupancy request`: one question, one answer. */
export async function request(flags: RequestFlags): Promise<number> {
  const topics = new Topics(flags.prefix);
  assertLayer(flags.layer); // a wrong name costs no connection
  const asker = new Asker({
    topics,
    name: uniqueName("request"),
    wire: flags.wire,
  });
  const link = await connect(flags, asker);
  try {
    const region = flags.at ?? flags.region;
    const view = await asker.ask(link, {
      layer: flags.layer,
      timeout: flags.timeout,
      ...(region && { region }),
    });
    print(view, flags);
  } finally {
    await link.close();
  }
  return Exit.ok;
}

/** A connection on which an {@linkcode Asker} hears its answers. */
export async function connect(flags: BrokerFlags, asker: Asker) {
  const { Connection } = await import("../mqtt/connection.ts");
  const link = new Connection({
    url: brokerOf(flags),
    clientId: asker.name,
    subscriptions: asker.subscriptions,
    ...await caOf(flags),
  });
  await link.open(asker.handlersFor(link));
  return link;
}

/** Prints a map as the flags say, else as suits where it goes. */
export function print(view: MapView, flags: FormatFlags): void {
  const terminal = Deno.stdout.isTerminal();
  const format = flags.json ? "json" : flags.format;
  switch (format ?? (terminal ? "table" : "tsv")) {
    case "json":
      return writeOut(renderJson(view));
    case "tsv":
      return writeOut(renderTsv(view));
    case "table":
      return writeOut(renderTable(view, wantsColor()));
  }
}
