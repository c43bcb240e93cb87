import { InvalidArgumentError } from "commander";

/** Lets a parser that throws RangeError speak through commander. */
export function parsing<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) {
        throw new InvalidArgumentError(error.message);
      }
      throw error;
    }
  };
}
