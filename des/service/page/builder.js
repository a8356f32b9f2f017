// The left side: the chain, what its providers share, and what it meets.

import { html, nothing } from "./lit-html.js";
import {
  CAUSES, modelOf, moved, percentOf, providerOf, providersOf, unitOf, withCause, withCauseField, withEndpoint, withField,
  withLeg, withMore, without, withoutCause,
} from "./body.js";
import { follow } from "./drag.js";
import { choiceField, faultLines, textField } from "./fields.js";
import { RATE_UNITS, cited, idOf, latency, percent, price, rateParts, short, usual } from "./words.js";

const STOPS = [0, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100];   // per cent
const CAUSE_WORDS = {
  cdn: "A CDN", region: "A cloud region", cloud: "A cloud provider", network: "A network", identity: "An identity service",
  common: "Another common cause",
};

/**
 * The builder. `edit(body, {step, focus, said})` takes an edited body: a step can be
 * undone by going back, `focus` are ids of which the first that can be has the focus then, `said` is announced.
 * `taken` says what sharing takes back.
 */
export function builder({ catalogue, body, faults, open, edit, taken }) {
  const one = { catalogue, body, faults, open, edit };
  return html`
    <section aria-labelledby="chain-title">
      <h2 id="chain-title">Chain <span class="aside">asked in this order</span></h2>
      ${faultLines(faults, "/chain")}
      <ol id="legs">${body.chain.map((leg, at) => legCard(one, leg, at))}</ol>
      <button type="button" id="add-leg" ?disabled=${body.chain.length >= (catalogue.limits?.legs ?? 8)}
        @click=${() => edit(withMore(body, catalogue), { step: true, focus: [idOf(`/chain/${body.chain.length}/provider`)] })}>
        ${icon("plus")} Add a fallback</button>
    </section>
    <section aria-labelledby="shared-title">
      <h2 id="shared-title">What they share</h2>
      ${providersOf(body).length < 2 ? html`<p class="aside">One provider shares nothing with another. Add a fallback of a
        second one to see what a common cause takes back.</p>` : html`
        ${taken ? html`<p class="taken">${taken}</p>` : nothing}
        ${faultLines(faults, "/shared")}
        <ul>${(body.shared ?? []).map((cause, at) => causeCard(one, cause, at))}</ul>
        ${(body.shared ?? []).length >= (catalogue.limits?.shared ?? 8) ? nothing
          : html`<button type="button" id="add-cause" @click=${() => edit(withCause(body), { step: true })}>
            ${icon("plus")} Add something that they share</button>`}`}
    </section>
    ${loadSection(one)}${clientSection(one)}${worthSection(one)}`;
}

function legCard(one, leg, at) {
  const { catalogue, body, faults, edit } = one;
  const last = body.chain.length - 1;
  const name = `leg ${at + 1}, ${leg.provider} ${leg.model}`;
  const to = (place, button) => edit(moved(body, at, place), {
    step: true, focus: [`${button}-${place}`, `${button === "up" ? "down" : "up"}-${place}`],
    said: `${leg.provider} ${leg.model} is now leg ${place + 1} of ${last + 1}.`,
  });
  const begin = (event) => follow(event, [...document.querySelectorAll("#legs > .leg")], at, (from, place) =>
    edit(moved(body, from, place), { step: true }));
  const provider = providerOf(catalogue, leg);
  return html`<li class="leg">
    <div class="leg-head">
      <span class="grip"><span class="handle" aria-hidden="true" title="Drag to another place" @pointerdown=${begin}>${icon("grip")}</span>
      <span class="rank" aria-hidden="true">${at + 1}</span></span>
      <div class="endpoint">
        ${choiceField({
          faults, pointer: `/chain/${at}/provider`, name: `Provider of leg ${at + 1}`, value: leg.provider, kind: "field bare",
          options: catalogue.providers.map((each) => [each.name, each.title ?? each.name]),
          change: (value) => edit(withEndpoint(body, at, value, likeliest(catalogue, value, leg)), { step: true }),
        })}
        ${choiceField({
          faults, pointer: `/chain/${at}/model`, name: `Model of leg ${at + 1}`, value: leg.model, kind: "field bare",
          options: (provider?.models ?? []).map((each) => [each.name, each.name]),
          change: (value) => edit(withEndpoint(body, at, leg.provider, value), { step: true }),
        })}
      </div>
      <div class="tools">
        <button type="button" class="icon" id=${`up-${at}`} ?disabled=${at === 0} aria-label=${`Move ${name} up`}
          title="Up" @click=${() => to(at - 1, "up")}>${icon("up")}</button>
        <button type="button" class="icon" id=${`down-${at}`} ?disabled=${at === last} aria-label=${`Move ${name} down`}
          title="Down" @click=${() => to(at + 1, "down")}>${icon("down")}</button>
        <button type="button" class="icon" id=${`remove-${at}`} ?disabled=${last === 0} aria-label=${`Remove ${name}`}
          title="Remove" @click=${() => edit(without(body, at), { step: true, focus: ["add-leg"], said: `${name} is removed.` })}>${icon("cross")}</button>
      </div>
    </div>
    ${faultLines(faults, `/chain/${at}`)}
    <div class="grid">
      ${legField(one, leg, at, "timeout", "Timeout", catalogue.defaults.timeout, "How long a call may take: 30 or 30s")}
      ${legField(one, leg, at, "retries", "Retries", body.policy?.preset ? "client's" : String(catalogue.defaults.retries ?? 0), "More calls of this leg before the next one")}
      ${legField(one, leg, at, "availability", "Availability", provider ? percent(provider.availability) : "", "Of the provider, as 99.5%")}
      ${legField(one, leg, at, "episodes_per_year", "Outages/year", provider ? String(provider.episodes_per_year) : "", "Of the provider")}
    </div>
    ${sourceLines(defaultsOf(catalogue, leg).map(([what, source, date]) => [what, cited(short(source), date)]))}
    ${legMore(one, leg, at)}
  </li>`;
}

function legField(one, leg, at, field, name, placeholder, hint, half = false) {
  return textField({
    faults: one.faults, pointer: `/chain/${at}/${field}`, name, value: leg[field], placeholder: placeholder ?? "", hint, half,
    change: (value) => one.edit(withLeg(one.body, at, field, value)),
  });
}

function legMore(one, leg, at) {
  const { catalogue, body, faults, edit } = one;
  const model = modelOf(catalogue, leg);
  const speed = model?.latency ?? {};
  const text = !model?.unit;
  const priced = (field, name, listed) => textField({
    faults, pointer: `/chain/${at}/price/${field}`, name, value: leg.price?.[field],
    placeholder: listed == null ? "" : String(listed), hint: "US dollars per million tokens", half: true,
    change: (value) => {
      const other = field === "input_per_mtok" ? "output_per_mtok" : "input_per_mtok";
      const found = { ...leg.price, [field]: value };
      if (found[other] === undefined && model?.[other] != null) found[other] = String(model[other]);
      if (value === "") delete found[field];
      const listedToo = found[field] === undefined && found[other] === String(model?.[other]);
      edit(withLeg(body, at, "price", Object.keys(found).length && !listedToo ? found : undefined));
    },
  });
  return folded(one, `more-${at}`, ["server_error", "rate_limit", "first_token", "tokens_per_second", "latency", "price"]
    .some((field) => faults.within(`/chain/${at}/${field}`)), "Errors, limit, latency, price, sources", html`<div class="grid">
      ${legField(one, leg, at, "server_error", "Random errors", percent(catalogue.defaults.server_error), "Share of the calls that fail by themselves", true)}
      ${legField(one, leg, at, "rate_limit", "Rate limit", "none", "Requests of the provider's account: 60/min", true)}
      ${text ? html`
        ${legField(one, leg, at, "first_token", "First token", usual(speed.first_token), "Median", true)}
        ${legField(one, leg, at, "tokens_per_second", "Tokens a second", usual(speed.tokens_per_second), "", true)}
        ${priced("input_per_mtok", "$ per million tokens in", model?.input_per_mtok)}
        ${priced("output_per_mtok", "$ per million tokens out", model?.output_per_mtok)}`
        : legField(one, leg, at, "latency", "Median latency", usual(speed.median), "", true)}
    </div>
    ${sourceLines(defaultsOf(catalogue, leg).map(([what, source, date]) => [what, cited(source, date)]))}`);
}

// `[what, source, date]` of what the fields that are left empty stand for.
function defaultsOf(catalogue, leg) {
  const provider = providerOf(catalogue, leg);
  const model = modelOf(catalogue, leg);
  const said = [];
  if (provider && (leg.availability === undefined || leg.episodes_per_year === undefined)) {
    said.push(["Outages", provider.source, provider.date]);
  }
  if (model && !leg.price) said.push([price(model), model.source, model.date]);
  if (model && leg.first_token === undefined && leg.latency === undefined) said.push([latency(model), model.latency_source]);
  if (leg.server_error === undefined && catalogue.defaults.server_error) {
    said.push([`${percent(catalogue.defaults.server_error)} random errors`, catalogue.defaults.sources?.server_error]);
  }
  return said.map(([what, source, date]) => [what, source || "assumed", date]);
}

function sourceLines(said) {
  return said.length ? html`<dl class="source">${said.map(([what, source]) => html`<div><dt>${what}</dt> <dd>${source.replace(/\.$/, "")}</dd></div> `)}</dl>` : nothing;
}

// The model of a provider that is most like what the leg had: priced in the same unit.
function likeliest(catalogue, name, leg) {
  const models = catalogue.providers.find((each) => each.name === name)?.models ?? [];
  const unit = modelOf(catalogue, leg)?.unit ?? null;
  return (models.find((each) => (each.unit ?? null) === unit) ?? models[0])?.name ?? "";
}

function causeCard({ catalogue, body, faults, edit }, cause, at) {
  const share = percentOf(cause.fraction);
  const pointer = `/shared/${at}`;
  const nearest = STOPS.reduce((best, stop, number) => Math.abs(stop - share) < Math.abs(STOPS[best] - share) ? number : best, 0);
  const set = (field, value, step) => edit(withCauseField(body, at, field, value), { step });
  const names = [...new Set([...CAUSES, ...(body.shared ?? []).map((each) => each.name)])];
  const taken = new Set(body.shared.filter((each) => each !== cause).map((each) => each.name));
  const title = (name) => catalogue.providers.find((each) => each.name === name)?.title ?? name;
  return html`<li class="cause">
    <div class="cause-head">
      ${choiceField({
        faults, pointer: `${pointer}/name`, name: "What they share", value: cause.name, kind: "field bare",
        options: names.filter((name) => !taken.has(name)).map((name) => [name, CAUSE_WORDS[name] ?? name]),
        change: (value) => set("name", value, true),
      })}
      <button type="button" class="icon" aria-label=${`Remove ${cause.name}`} title="Remove"
        @click=${() => edit(withoutCause(body, at), { step: true, focus: ["add-cause"] })}>${icon("cross")}</button>
    </div>
    <div class="slider">
      <label class="field" for=${idOf(`${pointer}/fraction`)}><span class="name">Outages that hit all of them at once <output>${Number(share.toPrecision(4))} %</output></span>
        <input type="range" id=${idOf(`${pointer}/fraction`)} min="0" max=${STOPS.length - 1} step="1" .value=${String(nearest)}
          aria-valuetext=${`${Number(share.toPrecision(4))} per cent`}
          @input=${(event) => set("fraction", `${STOPS[Number(event.target.value)]}%`, false)}></label>
      ${faultLines(faults, `${pointer}/fraction`)}
    </div>
    <fieldset class="members row"><legend class="unseen">Who shares it</legend>${providersOf(body).map((name) => html`<label class="check">
      <input type="checkbox" .checked=${cause.members.includes(name)} @change=${(event) => set("members",
        providersOf(body).filter((each) => each === name ? event.target.checked : cause.members.includes(each)), true)}>
      ${title(name)}</label>`)}</fieldset>
    ${faultLines(faults, `${pointer}/members`)}${faultLines(faults, pointer)}
    ${cause.members.length < 2 ? html`<p class="aside">Only one has it, so nothing is common: choose two.</p>`
      : html`<p class="aside">Assumed, as a share of the outages of the one that
        fails least. Each fails as often as before, only more often together.</p>`}
  </li>`;
}

function loadSection({ catalogue, body, faults, edit }) {
  const [amount, unit] = rateParts(body.workload?.rate);
  const [usualAmount, usualUnit] = rateParts(catalogue.defaults.rate);
  const chosen = unit || usualUnit || "d";
  const sources = catalogue.defaults.sources ?? {};
  const tokens = body.chain.some((leg) => !unitOf(catalogue, leg));
  const set = (field, value) => edit(withField(body, "workload", field, value));
  return html`<section aria-labelledby="load-title"><h2 id="load-title">Load</h2>
    <div class="grid">
      ${textField({
        faults, pointer: "/workload/rate", name: "Requests", value: amount, placeholder: usualAmount, hint: "On average",
        change: (value) => set("rate", value && `${value}/${chosen}`),
      })}
      ${choiceField({
        faults, pointer: "/workload/rate-unit", name: "per", value: chosen, options: RATE_UNITS,
        change: (value) => set("rate", `${amount || usualAmount}/${value}`),
      })}
      ${tokens ? html`
        ${textField({
          faults, pointer: "/workload/input_tokens", name: "Tokens in", value: body.workload?.input_tokens,
          placeholder: String(catalogue.defaults.input_tokens ?? ""), hint: "Median", change: (value) => set("input_tokens", value),
        })}
        ${textField({
          faults, pointer: "/workload/output_tokens", name: "Tokens out", value: body.workload?.output_tokens,
          placeholder: String(catalogue.defaults.output_tokens ?? ""), hint: "Median", change: (value) => set("output_tokens", value),
        })}
      ` : nothing}
    </div>
    ${tokens && sources.tokens && body.workload?.input_tokens === undefined
      ? html`<div title=${sources.tokens}>${sourceLines([["Tokens", short(sources.tokens)]])}</div>` : nothing}
    ${faultLines(faults, "/workload")}</section>`;
}

function clientSection({ catalogue, body, faults, open, edit }) {
  const preset = catalogue.presets.find((each) => each.name === body.policy?.preset || each.name.split("@")[0] === body.policy?.preset);
  const set = (field, value, step) => edit(withField(body, "policy", field, value), { step });
  const field = (name, words, placeholder, hint) => textField({
    faults, pointer: `/policy/${name}`, name: words, value: body.policy?.[name], placeholder, hint, change: (value) => set(name, value),
  });
  return html`<section aria-labelledby="client-title"><h2 id="client-title">Client</h2>
    ${choiceField({
      faults, pointer: "/policy/preset", name: "Retries, back-off and timeouts of", value: preset?.name ?? body.policy?.preset ?? "",
      options: [["", "nothing: only what is set here"], ...catalogue.presets.map((each) => [each.name, `${each.title} (${each.version})`])],
      change: (value) => set("preset", value, true),
    })}
    ${preset ? sourceLines([[preset.name, cited(preset.source, preset.date)]]) : nothing}
    ${preset?.not_modelled?.length ? folded({ open }, "not-modelled", false, "What it leaves out", html`<ul class="source">${
      preset.not_modelled.map((each) => html`<li>${each}</li>`)}</ul>`) : nothing}
    <div class="grid three">
      ${field("rounds", "Rounds", String(catalogue.defaults.rounds ?? 1), "Passes over the whole chain")}
      ${field("deadline", "Deadline", "none", "After which a request is given up: 120s")}
      ${field("backoff", "Back-off", "none", "First wait before a retry; it doubles, with full jitter")}
    </div>${faultLines(faults, "/policy")}</section>`;
}

function worthSection({ catalogue, body, faults, edit }) {
  const set = (group, field, value) => edit(withField(body, group, field, value));
  const objective = catalogue.defaults.objective?.availability ?? "99.9%";
  return html`<section aria-labelledby="worth-title"><h2 id="worth-title">Worth</h2>
    <div class="grid three">
      ${textField({
        faults, pointer: "/objective/availability", name: "Monthly objective", value: body.objective?.availability,
        placeholder: String(objective), hint: "Availability that each month should reach",
        change: (value) => set("objective", "availability", value),
      })}
      ${textField({
        faults, pointer: "/value/lost_request", name: "$ a lost request", value: body.value?.lost_request, placeholder: "0",
        hint: "What it costs you when a request is not answered", change: (value) => set("value", "lost_request", value),
      })}
      ${textField({
        faults, pointer: "/value/downtime_per_hour", name: "$ an hour down", value: body.value?.downtime_per_hour, placeholder: "0",
        hint: "What an hour without any provider costs you", change: (value) => set("value", "downtime_per_hour", value),
      })}
    </div>${faultLines(faults, "/value")}${faultLines(faults, "/objective")}</section>`;
}

/** Something folded away, whose being open is part of the page's state and not of the document. */
export function folded({ open }, key, forced, words, content) {
  return html`<details .open=${forced || open.has(key)} @toggle=${(event) => {
    if (event.target.open) open.add(key);
    else open.delete(key);
  }}><summary>${words}</summary>${content}</details>`;
}

const PATHS = {
  up: "M8 12.5v-9M4 7l4-4 4 4", down: "M8 3.5v9M4 9l4 4 4-4", cross: "M4 4l8 8M12 4l-8 8", plus: "M8 3v10M3 8h10",
  grip: "M6 3.5v.01M6 8v.01M6 12.5v.01M10 3.5v.01M10 8v.01M10 12.5v.01",
};

function icon(name) {
  return html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width=${name === "grip" ? 2.2 : 1.6}
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]}></path></svg>`;
}
