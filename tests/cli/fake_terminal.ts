/** One character on a screen, and how it looks. */
interface Shown {
  readonly character: string;
  /** Foreground, background and weight, as the SGR codes that set them. */
  readonly look: string;
}

/** CSI with its parameters and final character, or any one character. */
// deno-lint-ignore no-control-regex
const TOKEN = /\x1b\[([?0-9;]*)([A-Za-z])|[^]/gu;

/**
 * As much of a terminal (ECMA-48) as the map uses: CUP, ED, SGR and characters
 * of one column. What it does not know is an error, so that tests notice.
 */
export class FakeTerminal {
  readonly width: number;
  readonly height: number;
  readonly #shown: Shown[][];
  #row = 0;
  #column = 0;
  #ink = "39";
  #paper = "49";
  #weight = "22";

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#shown = Array.from({ length: height }, () => this.#blankLine());
  }

  /** The characters, line by line. */
  get text(): string[] {
    return this.#shown.map((line) =>
      line.map(({ character }) => character).join("")
    );
  }

  /** Characters and looks; of a blank only what can be seen. */
  get looks(): string[][] {
    return this.#shown.map((line) =>
      line.map(({ character, look }) => character + look)
    );
  }

  /** Whether what is written next is plain. */
  get isPlain(): boolean {
    return this.#ink === "39" && this.#paper === "49" && this.#weight === "22";
  }

  /** Shows what a program writes. */
  write(output: string): void {
    for (const [token, parameters, final] of output.matchAll(TOKEN)) {
      if (final !== undefined) this.#control(parameters!, final);
      else if (token === "\n") this.#newLine();
      else this.#put(token);
    }
  }

  #control(parameters: string, final: string): void {
    if (final === "H") {
      const [row, column] = parameters.split(";").map(Number);
      this.#row = row! - 1;
      this.#column = column! - 1;
    } else if (final === "J" && parameters === "2") {
      for (let row = 0; row < this.height; row++) {
        this.#shown[row] = this.#blankLine();
      }
    } else if (final === "m") {
      this.#look(parameters.split(";"));
    } else {
      throw new Error(`Cannot do CSI ${parameters} ${final}`);
    }
  }

  #look(codes: string[]): void {
    for (let code; (code = codes.shift()) !== undefined;) {
      if (code === "0") {
        [this.#ink, this.#paper, this.#weight] = ["39", "49", "22"];
      } else if (code === "1" || code === "22") this.#weight = code;
      else if (code === "39") this.#ink = code;
      else if (code === "49") this.#paper = code;
      else if (code === "38" || code === "48") {
        const color = codes.splice(0, codes[0] === "5" ? 2 : 4).join(";");
        if (code === "38") this.#ink = color;
        else this.#paper = color;
      } else throw new Error(`Cannot do SGR ${code}`);
    }
  }

  #put(character: string): void {
    if (this.#column >= this.width || this.#row >= this.height) {
      throw new Error(
        `${character} at ${this.#column},${this.#row} is outside`,
      );
    }
    const look = character === " "
      ? ` ${this.#paper}`
      : ` ${this.#ink} ${this.#paper} ${this.#weight}`;
    this.#shown[this.#row]![this.#column++] = { character, look };
  }

  #newLine(): void {
    this.#row++;
    this.#column = 0;
  }

  #blankLine(): Shown[] {
    return Array.from(
      { length: this.width },
      () => ({ character: " ", look: " 49" }),
    );
  }
}
