export {
  Asker,
  type AskerOptions,
  type MapView,
  type Question,
  type Wire,
} from "./ask.ts";
export { NoAnswerError, RefusedError } from "./errors.ts";
