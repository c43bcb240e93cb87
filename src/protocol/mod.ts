/**
 * Parses and encodes the messages of the protocol: readings, requests, replies,
 * deltas, reports and states. Pure: no clock, no IO. docs/PROTOCOL.md is the
 * specification.
 *
 * @module
 */

export {
  AppError,
  type AppErrorOptions,
  type ExitClass,
} from "../common/errors.ts";
export { ReadingBatch, UNKNOWN } from "./batch.ts";
export {
  ChangesFollower,
  type ChangesHeader,
  type ChangesPart,
  ChangesWriter,
  type ChangesWriterOptions,
  type FollowResult,
  parseChanges,
} from "./changes.ts";
export { encodeCsv } from "./csv.ts";
export { CsvParser, MAX_LINE_BYTES } from "./csv_parser.ts";
export {
  type LayerDisplay,
  nounOf,
  parseUnit,
  PEOPLE,
  type Unit,
} from "./display.ts";
export { encodeRequest, type RequestFields } from "./encode_request.ts";
export { ProtocolError, type ProtocolErrorOptions } from "./errors.ts";
export {
  encodeBatchJson,
  type EncodeBatchOptions,
  MAX_SOURCE_LENGTH,
} from "./json.ts";
export {
  encodeOriginalReading,
  ORIGINAL_REQUEST,
  OriginalWriter,
  parseOriginal,
} from "./original.ts";
export {
  encodePartHeader,
  type MapMoment,
  type PartForm,
  PartList,
  PartWriter,
  type PartWriterOptions,
} from "./part_writer.ts";
export { parseNdjson } from "./ndjson.ts";
export type { LayerOptions } from "./payload_layer.ts";
export {
  MAX_JSON_BYTES,
  PARSE_SLICE_BYTES,
  parseReadings,
  parseReadingsInSlices,
  type ParseReadingsOptions,
} from "./readings.ts";
export { MAX_KEPT_REFUSALS, type Refusal, Refusals } from "./refusals.ts";
export {
  contains,
  intersection,
  isInt32,
  type Region,
  regionFrom,
  sortedRegion,
} from "./region.ts";
export {
  type NumberedPart,
  PartAssembler,
  ReplyAssembler,
} from "./reply_assembler.ts";
export {
  type AnyReply,
  parseAnyReply,
  parseReply,
  type PastCell,
  type PastPart,
  type PastReplyHeader,
  type ReplyPart,
  type SeriesPart,
  type SourcesPart,
  type ZonesPart,
  type ZonesReplyHeader,
} from "./reply_reader.ts";
export {
  encodeErrorReply,
  encodeReplyHeader,
  type ErrorReply,
  type ErrorReplyFields,
  type ReplyHeader,
  ReplyWriter,
  type ReplyWriterOptions,
} from "./reply_writer.ts";
export { encodeReport, parseReport, type Report } from "./report.ts";
export { type PastMapQuery, type SeriesQuery } from "./past_query.ts";
export {
  encodePastHeader,
  PastAssembler,
  type PastReplyOptions,
  PastReplyWriter,
} from "./past_reply.ts";
export {
  type LayerMapRequest,
  type MapRequest,
  MAX_TRANSACTION_BYTES,
  type OriginalMapRequest,
  type ParsedRequest,
  parseRequest,
  type ParseRequestOptions,
  type PastMapRequest,
  type ReplyRouting,
  RequestError,
  type Scalar,
  type SeriesRequest,
  type SourcesRequest,
  type ZonesRequest,
} from "./request.ts";
export {
  DEFAULT_PART_BYTES,
  MAX_PART_BYTES,
  MIN_PART_BYTES,
  type ReplyFormat,
} from "./request_fields.ts";
export { type GapMs, type Series, type Step, STEPS } from "./series.ts";
export {
  encodeSeriesHeader,
  SeriesAssembler,
  type SeriesReplyHeader,
  type SeriesReplyOptions,
  SeriesReplyWriter,
} from "./series_reply.ts";
export { MAX_LISTED_SOURCES } from "./source_query.ts";
export {
  encodeSourcesHeader,
  readSourceList,
  SourcesAssembler,
  type SourcesReplyHeader,
  type SourcesReplyOptions,
  SourcesReplyWriter,
} from "./sources_reply.ts";
export { GroupTopics } from "./group_topics.ts";
export { encodeState, parseState, type ServerState } from "./server_state.ts";
export {
  encodeSourceEvent,
  type SourceActivity,
  type SourceEvent,
  sourceLevel,
  type SourceList,
  type SourceQuery,
  type SourceState,
} from "./sources.ts";
export {
  assertLayer,
  assertZoneName,
  DEFAULT_LAYER,
  DEFAULT_PREFIX,
  levelProblem,
  MAX_NAME_BYTES,
  Topics,
} from "./topics.ts";
export { excerpt } from "../common/printable.ts";
export {
  encodeZonesHeader,
  ZonesAssembler,
  type ZonesReplyOptions,
  ZonesReplyWriter,
} from "./zones_reply.ts";
export {
  checkReadingTime,
  explainTime,
  MAX_TIME_MS,
  parseTimestamp,
} from "./time.ts";
export {
  parseTimeExpression,
  resolveTime,
  TIME_FORMS,
  type TimeContext,
  type TimeExpression,
} from "./time_expression.ts";
