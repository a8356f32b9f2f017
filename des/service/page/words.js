// How numbers and places are written. Figures of an answer come written from the service.

const UNITS = [["s", "second"], ["min", "minute"], ["h", "hour"], ["d", "day"]];

/** The units of a rate, with their words. */
export const RATE_UNITS = UNITS;

/** `[number, unit]` of a rate such as `2/min`; the unit is empty where it is something else. */
export function rateParts(text) {
  const found = /^\s*([^/\s]+)\s*\/\s*(s|min|h|d)\s*$/.exec(text ?? "");
  return found ? [found[1], found[2]] : [text ?? "", ""];
}

/** A share as a percentage: 0.9958 is `99.58 %`. Text stays as it is. */
export function percent(share) {
  return typeof share === "string" ? share : share === undefined || share === null ? "" : `${Number((100 * share).toPrecision(6))} %`;
}

/** A price in US dollars with the digits it needs, whole cents at least, as `des catalogue` has it. */
export function dollars(amount) {
  const places = [2, 3, 4, 5, 6, 7, 8].find((each) => Math.abs(amount - Number(amount.toFixed(each))) < 1e-12) ?? 9;
  return `$${amount.toFixed(places)}`;
}

/** The price of a model of the catalogue. */
export function price(model) {
  if (model.unit) return `${dollars(model.per_unit)} per ${model.unit}`;
  if (model.per_request && !model.input_per_mtok) return `${dollars(model.per_request)} per request`;
  return `${dollars(model.input_per_mtok)} in, ${dollars(model.output_per_mtok)} out per million tokens`;
}

/** A value of the catalogue as text: the median where it is a distribution. */
export function usual(value) {
  return value === null || value === undefined ? "" : typeof value === "object" ? usual(value.median ?? value.mean) : String(value);
}

/** How fast a model of the catalogue answers. */
export function latency(model) {
  const of = model.latency ?? {};
  const tail = (each) => each.p99 ? ` (p99 ${each.p99})` : each.p95 ? ` (p95 ${each.p95})` : "";
  if (of.first_token) return `First token ${usual(of.first_token)}${tail(of.first_token)}, ${usual(of.tokens_per_second)} tokens/s`;
  return of.median ? `Median ${of.median}${tail(of)}` : "";
}

/** The first words of a source, which say what it is. */
export function short(source) {
  return source.split(/ \(|: |; /, 1)[0];
}

/** A figure cut into its middle and what follows: `["99.9969 %", "± 0.0003"]`. */
export function cut(shown) {
  const found = /^(.*?)\s+(±.*|\[.*\]|\(.*\)|between.*)$/.exec(shown ?? "");
  return found ? [found[1], found[2]] : [shown ?? "–", ""];
}

/** `source, date`, or what there is of them. */
export function cited(source, date) {
  return [source, date].filter(Boolean).join(", ");
}

/** An id for the field at a JSON pointer. */
export function idOf(pointer) {
  return `at${pointer.replaceAll("/", "-")}`;
}

/** With each number and its unit on one line. */
export function together(text) {
  return String(text).replace(/(\d) (%|s|ms|min|h)(?=$|[\s,;.)])/g, "$1\u00a0$2");
}
