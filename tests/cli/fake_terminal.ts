/** A character on the screen with its style. */
interface StyledCharacter {
  readonly character: string;
  /** The SGR codes of foreground, background and weight. */
  readonly style: string;
}

/** The wide characters of the tests. */
const WIDE = /\p{Script=Han}|[\u{1f300}-\u{1faff}]/u;
/** The second column of a wide character. */
const TAIL: StyledCharacter = { character: "", style: "tail" };

/** CSI with its parameters and final character, or any one character. */
// deno-lint-ignore no-control-regex
const TOKEN = /\x1b\[([?0-9;]*)([A-Za-z])|[^]/gu;

/**
 * The part of a terminal (ECMA-48) that the map uses: CUP, ED, SGR and
 * characters of one or two columns. Throws an error for everything else.
 */
export class FakeTerminal {
  readonly width: number;
  readonly height: number;
  readonly #lines: StyledCharacter[][];
  #row = 0;
  #column = 0;
  #foreground = "39";
  #background = "49";
  #weight = "22";

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#lines = Array.from({ length: height }, () => this.#blankLine());
  }

  /** The characters, line by line. */
  get text(): string[] {
    return this.#lines.map((line) =>
      line.map(({ character }) => character).join("")
    );
  }

  /** Characters with their styles; of a blank only the background. */
  get styles(): string[][] {
    return this.#lines.map((line) =>
      line.map(({ character, style }) => character + style)
    );
  }

  /** True if the next character will have the default style. */
  get isPlain(): boolean {
    return this.#foreground === "39" && this.#background === "49" &&
      this.#weight === "22";
  }

  /** Processes output of a program. */
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
        this.#lines[row] = this.#blankLine();
      }
    } else if (final === "m") {
      this.#setStyle(parameters.split(";"));
    } else {
      throw new Error(`Unsupported CSI ${parameters} ${final}`);
    }
  }

  #setStyle(codes: string[]): void {
    for (let code; (code = codes.shift()) !== undefined;) {
      if (code === "0") {
        [this.#foreground, this.#background, this.#weight] = ["39", "49", "22"];
      } else if (code === "1" || code === "22") this.#weight = code;
      else if (code === "39") this.#foreground = code;
      else if (code === "49") this.#background = code;
      else if (code === "38" || code === "48") {
        const color = codes.splice(0, codes[0] === "5" ? 2 : 4).join(";");
        if (code === "38") this.#foreground = color;
        else this.#background = color;
      } else throw new Error(`Unsupported SGR ${code}`);
    }
  }

  #put(character: string): void {
    const isWide = WIDE.test(character);
    if (
      this.#column + Number(isWide) >= this.width || this.#row >= this.height
    ) {
      throw new Error(
        `${character} at ${this.#column},${this.#row} is outside`,
      );
    }
    const style = character === " "
      ? ` ${this.#background}`
      : ` ${this.#foreground} ${this.#background} ${this.#weight}`;
    this.#replace({ character, style });
    if (isWide) this.#replace(TAIL);
  }

  /** Replaces the character at the cursor; half a wide one becomes blank. */
  #replace(by: StyledCharacter): void {
    const line = this.#lines[this.#row]!;
    const column = this.#column++;
    const blank = { character: " ", style: " 49" };
    if (line[column] === TAIL && by !== TAIL) line[column - 1] = blank;
    if (line[column + 1] === TAIL) line[column + 1] = blank;
    line[column] = by;
  }

  #newLine(): void {
    this.#row++;
    this.#column = 0;
  }

  #blankLine(): StyledCharacter[] {
    return Array.from(
      { length: this.width },
      () => ({ character: " ", style: " 49" }),
    );
  }
}
