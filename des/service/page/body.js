// Edits of the body of POST /simulate, which is the whole state of the page. None changes its argument.
// A field that is absent has the service's default.

/** Fields of a leg that belong to its provider: legs of one provider have the same. */
const OF_PROVIDER = new Set(["availability", "episodes_per_year", "rate_limit"]);
/** Fields of a leg that belong to its model. */
const OF_MODEL = new Set(["server_error", "first_token", "tokens_per_second", "latency", "price"]);
/** Fields that are text, even if it looks like a number. */
const NAMES = new Set(["provider", "model", "name", "members", "preset", "per", "rate"]);
/** Names offered for what providers share. */
export const CAUSES = ["cdn", "region", "cloud", "network", "identity", "common"];
const ASSUMED_SHARE = "10%";

/** What the page begins with: the catalogue's chain, with a tenth of the outages shared. */
export function first(catalogue) {
  const chain = structuredClone(catalogue.defaults.chain);
  return withCause({ chain });
}

/** The providers of the chain in order. */
export function providersOf(body) {
  return [...new Set(body.chain.map((leg) => leg.provider))];
}

/** With a value of a leg, or without it where it is empty. */
export function withLeg(body, at, field, value) {
  const { provider, model } = body.chain[at];
  const same = (leg, number) => number === at
    || (OF_PROVIDER.has(field) && leg.provider === provider)
    || (OF_MODEL.has(field) && leg.provider === provider && leg.model === model);
  return { ...body, chain: body.chain.map((leg, number) => same(leg, number) ? set(leg, field, value) : leg) };
}

/** With another endpoint in a leg: what was said of the old provider or model does not hold for the new one. */
export function withEndpoint(body, at, provider, model) {
  const old = body.chain[at];
  const kept = { ...old, provider, model };
  for (const field of OF_MODEL) delete kept[field];
  if (provider !== old.provider) for (const field of OF_PROVIDER) delete kept[field];
  return joined(body, { ...body, chain: body.chain.map((leg, number) => number === at ? like(body, kept) : leg) });
}

/** With one more leg at the end: an endpoint that is not in the chain, of a new provider where there is one. */
export function withMore(body, catalogue) {
  const used = new Set(providersOf(body));
  const kind = unitOf(catalogue, body.chain[0]);
  const every = catalogue.providers.flatMap((provider) => provider.models
    .filter((model) => (model.unit ?? null) === kind)
    .map((model) => ({ provider: provider.name, model: model.name })));
  const free = every.filter((each) => !body.chain.some((leg) => leg.provider === each.provider && leg.model === each.model));
  const next = free.find((each) => !used.has(each.provider)) ?? free[0] ?? every[0];
  return joined(body, { ...body, chain: [...body.chain, like(body, { ...next, timeout: body.chain.at(-1)?.timeout })] });
}

/** Without a leg. */
export function without(body, at) {
  return joined(body, { ...body, chain: body.chain.filter((_, number) => number !== at) });
}

/** With a leg at another place. */
export function moved(body, from, to) {
  const chain = [...body.chain];
  chain.splice(to, 0, ...chain.splice(from, 1));
  return { ...body, chain };
}

/** With the legs in the order of these names (`provider/model`), and without the others; undefined where one is not there. */
export function ordered(body, names) {
  const rest = [...body.chain];
  const chain = names.map((name) => {
    const at = rest.findIndex((leg) => sameName(leg, name));
    return at < 0 ? undefined : rest.splice(at, 1)[0];
  });
  if (!chain.length || chain.includes(undefined)) return undefined;
  return joined(body, { ...body, chain });
}

// The service writes ids in the catalogue's way, and numbers an endpoint that comes again: `openai/gpt-5#2`.
function sameName(leg, name) {
  const plain = (text) => text.toLowerCase().replace(/#\d+$/, "").replaceAll(".", "-");
  return plain(`${leg.provider}/${leg.model}`) === plain(name);
}

/** With one more thing that all providers share. */
export function withCause(body) {
  const causes = body.shared ?? [];
  const taken = new Set(causes.map((cause) => cause.name));
  const name = CAUSES.find((each) => !taken.has(each)) ?? `shared_${causes.length + 1}`;
  return { ...body, shared: [...causes, { name, members: providersOf(body), fraction: ASSUMED_SHARE }] };
}

/** With a value of a shared cause. */
export function withCauseField(body, at, field, value) {
  return { ...body, shared: body.shared.map((cause, number) => number === at ? { ...cause, [field]: value } : cause) };
}

/** Without a shared cause. */
export function withoutCause(body, at) {
  return { ...body, shared: body.shared.filter((_, number) => number !== at) };
}

/** With a value of a group such as `workload`, or without it where it is empty. */
export function withField(body, group, field, value) {
  const found = set(body[group] ?? {}, field, value);
  return set(body, group, Object.keys(found).length ? found : undefined);
}

/** A share as a percentage: of `"10%"`, `0.1` or `10`. */
export function percentOf(fraction) {
  const text = String(fraction ?? 0).trim();
  const number = Number.parseFloat(text);
  return text.endsWith("%") || number > 1 ? number : 100 * number;
}

/**
 * What is sent: numbers that were typed as numbers, and no shared cause of fewer than two providers, because nothing is
 * common then.
 *
 * `pointer` turns a JSON pointer into what was sent into one into the body.
 */
export function sent(body) {
  const kept = (body.shared ?? []).map((cause, at) => ({ cause, at })).filter(({ cause }) => cause.members.length > 1);
  const shared = kept.map(({ cause }) => cause);
  const pointer = (text) => text.replace(/^\/shared\/(\d+)/, (_, number) => `/shared/${kept[Number(number)]?.at ?? number}`);
  return { body: numbered(set(body, "shared", shared.length ? shared : undefined)), pointer };
}

function numbered(part) {
  if (Array.isArray(part)) return part.map(numbered);
  if (part !== null && typeof part === "object") {
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, NAMES.has(name) ? each : numbered(each)]));
  }
  return typeof part === "string" && /^\d+(\.\d+)?$/.test(part) ? Number(part) : part;
}

/** The unit in which the model of a leg is priced; null for tokens. */
export function unitOf(catalogue, leg) {
  return modelOf(catalogue, leg)?.unit ?? null;
}

/** The catalogue's entry of a leg's provider. */
export function providerOf(catalogue, leg) {
  return catalogue.providers.find((each) => each.name === leg?.provider);
}

/** The catalogue's entry of a leg's model. */
export function modelOf(catalogue, leg) {
  return providerOf(catalogue, leg)?.models.find((each) => each.name === leg.model);
}

function set(object, field, value) {
  const copy = { ...object };
  if (value === undefined || value === "") delete copy[field];
  else copy[field] = value;
  return copy;
}

// A leg that says of its provider what the others of the chain say of it.
function like(body, leg) {
  const other = body.chain.find((each) => each.provider === leg.provider);
  const found = { ...leg };
  if (other) for (const field of OF_PROVIDER) if (other[field] !== undefined) found[field] = other[field];
  return set(found, "timeout", found.timeout);
}

// Causes follow the chain: one that all providers shared is shared by all, and none has a member outside the chain.
function joined(before, after) {
  if (!after.shared) return after;
  const old = providersOf(before);
  const now = providersOf(after);
  const shared = after.shared.map((cause) => {
    const all = old.every((name) => cause.members.includes(name));
    return { ...cause, members: all ? now : cause.members.filter((name) => now.includes(name)) };
  });
  return { ...after, shared };
}
