import assert from "node:assert/strict";
import {
  describeCell,
  formatAge,
  formatByteRate,
  formatCount,
  formatDuration,
  formatQuantity,
  formatShare,
  formatShortCount,
  formatUnits,
  NumberFormats,
} from "../../../src/page/elements/format.ts";

const permissions = "none";

Deno.test({
  name: "describeCell() never calls unknown, stale or unreported cells free",
  permissions,
  fn: () => {
    const describe = (value: number | undefined, stale: boolean) => {
      const { title, detail } = describeCell(value, stale);
      return [title, detail];
    };
    assert.deepEqual(describe(0, false), ["Free", ""]);
    assert.deepEqual(describe(1, false), ["Occupied", ""]);
    assert.deepEqual(describe(1200, false), ["Occupied", "1,200 people"]);
    assert.deepEqual(describe(0, true), ["Stale", "was free"]);
    assert.deepEqual(describe(1, true), ["Stale", "was occupied"]);
    assert.deepEqual(describe(4, true), ["Stale", "was 4 people"]);
    assert.equal(describeCell(4, false, ["car", "cars"]).detail, "4 cars");
    assert.deepEqual(describe(-1, false), ["Unknown", ""]);
    assert.deepEqual(describe(-1, true), ["Unknown", ""]);
    assert.deepEqual(describe(undefined, false), ["No data", ""]);
  },
});

Deno.test({
  name: "formatCount() has all digits, formatShortCount() never rounds up",
  permissions,
  fn: () => {
    assert.equal(formatCount(1234567), "1,234,567");
    assert.equal(formatCount(16_000_000_001), "16,000,000,001");
    assert.equal(formatShortCount(9999), "9,999");
    assert.equal(formatShortCount(12_300), "12.3K");
    assert.equal(formatShortCount(99_999), "99.9K");
    assert.equal(formatShortCount(1200, 1000), "1.2K");
    assert.equal(formatQuantity(1, "cell"), "1 cell");
    assert.equal(formatQuantity(1200, "cell"), "1,200 cells");
    assert.equal(formatUnits(1, undefined), "1 person");
    assert.equal(formatUnits(1200, ["car", "cars"]), "1,200 cars");
  },
});

Deno.test({
  name: "NumberFormats has the number format of the reader",
  permissions,
  fn: () => {
    const german = new NumberFormats("de");
    assert.equal(german.count(1234567), "1.234.567");
    assert.equal(german.share(5.6, 100), "5,6\u00a0%");
    const hindi = new NumberFormats(["hi-IN", "en"]);
    assert.equal(hindi.count(1234567), "12,34,567");
  },
});

Deno.test({
  name: "formatShare() rounds neither to 0% nor to 100%",
  permissions,
  fn: () => {
    assert.equal(formatShare(1, 100_000), "<0.1%");
    assert.equal(formatShare(99_999, 100_000), ">99.9%");
    assert.equal(formatShare(0, 7), "0%");
    assert.equal(formatShare(0, 0), "–");
  },
});

Deno.test({
  name: "formatDuration() and formatAge() round down to one unit",
  permissions,
  fn: () => {
    assert.equal(formatDuration(999), "0 s");
    assert.equal(formatDuration(59_999), "59 s");
    assert.equal(formatDuration(300_000), "5 min");
    assert.equal(formatAge(-500), "just now");
    assert.equal(formatAge(7_300_000), "2 hr. ago");
  },
});

Deno.test({
  name: "formatByteRate() uses binary units",
  permissions,
  fn: () => {
    assert.equal(formatByteRate(19_456), "19 KiB/s");
    assert.equal(formatByteRate(19_500), "19 KiB/s");
    assert.equal(formatByteRate(1.5 * 2 ** 20), "1.5 MiB/s");
  },
});
