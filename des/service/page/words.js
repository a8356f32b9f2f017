// How numbers and places are written. Figures of an answer come written from the service.

const UNITS = [["s", "second"], ["min", "minute"], ["h", "hour"], ["d", "day"]];

/** The units of a rate, with their words. */
export const RATE_UNITS = UNITS;

/** `[number, unit]` of a rate such as `2/min`; the unit is empty where it is something else. */
export function rateParts(text) {
  const found = /^\s*([^/\s]+)\s*\/\s*(s|min|h|d)\s*$/.exec(text ?? "");
  return found ? [found[1], found[2]] : [text ?? "", ""];
}

/** A share as a percentage: 0.9958 is `99.58 %`. */
export function percent(share) {
  return `${Number((100 * share).toPrecision(6))} %`;
}

/** US dollars with the digits they need. */
export function dollars(amount) {
  return `$${amount >= 1 ? Number(amount.toFixed(2)) : Number(amount.toPrecision(3))}`;
}

/** The price of a model of the catalogue. */
export function price(model) {
  if (model.unit && model.per_unit != null) return `${dollars(model.per_unit)} per ${model.unit}`;
  if (model.per_request != null && model.input_per_mtok == null) return `${dollars(model.per_request)} per request`;
  if (model.input_per_mtok == null) return "no list price";
  return `${dollars(model.input_per_mtok)} in, ${dollars(model.output_per_mtok)} out per million tokens`;
}

/** How fast a model of the catalogue answers. */
export function latency(model) {
  const of = model.latency ?? {};
  if (of.first_token) return `first token ${of.first_token}${of.p99 ? ` (p99 ${of.p99})` : ""}, ${of.tokens_per_second} tokens/s`;
  return of.median ? `median ${of.median}${of.p95 ? `, p95 ${of.p95}` : ""}` : "";
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
