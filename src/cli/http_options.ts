import { type Command, Option } from "commander";
import { parsing } from "./parsing.ts";
import { parseHttp } from "./values.ts";

/** The options of a server's HTTP side. */
export function withHttp(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--http <host:port>",
        "where the map is shown and asked for over HTTP (default: 127.0.0.1:8080; port 0: any free one)",
      ).argParser(parsing(parseHttp)).env("OCCUPANCY_HTTP"),
    )
    .option("--no-http", "no HTTP at all; OCCUPANCY_HTTP=off does the same")
    .addOption(
      new Option(
        "--http-token-file <file>",
        "a secret that whoever asks over HTTP must show; needed to listen beyond this machine",
      ).env("OCCUPANCY_HTTP_TOKEN_FILE"),
    )
    .addOption(
      new Option(
        "--map-file <file>",
        "floor plans under the cells: maps.json, or a ROS map.yaml",
      ).env("OCCUPANCY_MAP_FILE"),
    );
}
