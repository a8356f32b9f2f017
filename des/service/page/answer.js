// The right side: what the service answered. Figures are shown as it wrote them.

import { html, nothing } from "./lit-html.js";
import { folded } from "./builder.js";
import { cited, cut, together } from "./words.js";
import "./charts.js";

const BROAD = new Set(["outages", "nines", "sharing"]);
const ORDER = ["nines", "sharing", "outages", "cost", "latency", "served", "lost"];

/** The sentence, a paragraph for each part. */
export function sentence(answer) {
  return answer.sentence.split("; ").map((part, number, all) => html`<p>${part}${number < all.length - 1 ? ";" : ""}</p>`);
}

/** Four figures to keep in view. */
export function numbers(answer) {
  const modelled = answer.uptime.as_modelled;
  const single = answer.uptime.single;
  const [answered, margin] = cut(modelled.availability?.shown);
  const nines = (figure) => typeof figure?.mean === "number" ? figure.shown : "–";
  const [cost, costMargin] = cut(answer.cost.per_1000?.shown);
  const [median] = cut(answer.latency.p50?.shown);
  const down = answer.headline?.down_per_30_days ?? modelled.down_minutes_per_30_days?.shown;
  const chance = modelled.objective_chance?.shown;
  return html`<dl class="numbers">
    ${tile("Answered", answered, margin)}
    ${tile("Nines", nines(modelled.nines), single ? `${nines(single.nines)} with the first leg alone` : "")}
    ${tile("Down in 30 days", cut(down)[0], chance ? `${cut(chance)[0]} of the months meet the objective` : modelled.objective_reason)}
    ${tile("Cost of 1,000", cost, answer.cost.overhead?.text || costMargin)}
    ${tile("Median latency", median, `p95 ${cut(answer.latency.p95?.shown)[0]}, p99 ${cut(answer.latency.p99?.shown)[0]}`)}
  </dl>`;
}

function tile(name, value, more) {
  return html`<div><dt>${name}</dt><dd>${together(value)}</dd>${more ? html`<dd>${together(more)}</dd>` : nothing}</div>`;
}

/** What follows the sentence. `charts` is undefined until they have come. */
export function answerBody(one) {
  const { answer, charts } = one;
  return html`${numbers(answer)}${advice(one)}
    ${chartsBlock(one, charts)}
    ${answer.figures ? html`<section class="block figures"><h2>Figures</h2>${table("All figures, with 95 % intervals",
      ["", ...answer.figures.arms], answer.figures.rows.map((row) => [row.label, ...row.cells]))}</section>` : nothing}
    ${shares(answer)}
    ${behind(answer)}
    <section class="block"><h2>The same as a scenario file</h2>
      <p class="aside">${answer.command ? html`<code>${answer.command}</code> prints the figures above. ` : nothing}A scenario
        can say more than this page: limits, breakers, recorded incidents, regions.</p>
      ${folded(one, "scenario", false, "Show the file", html`<pre tabindex="0">${answer.scenario}</pre>`)}
      ${folded(one, "curl", false, "Show the request", html`<pre tabindex="0">${one.curl}</pre>`)}
    </section>`;
}

function advice({ answer: { recommendation }, reorder }) {
  if (!recommendation?.text) return nothing;
  const rest = [recommendation.reason, ...(recommendation.idle ?? []).map((each) => each.text)]
    .filter((each) => each && !recommendation.text.includes(each));
  return html`<section class="advice" aria-labelledby="advice-title"><p id="advice-title" class="said">${recommendation.text}</p>
    ${rest.length ? html`<ul>${rest.map((each) => html`<li>${each}</li>`)}</ul>` : nothing}
    ${reorder ? html`<p><button type="button" id="reorder" @click=${reorder}>Use this order</button></p>` : nothing}</section>`;
}

function chartsBlock(one, charts) {
  if (charts === undefined) return html`<p class="status busy">Drawing the charts</p>`;
  if (one.noCharts) return html`<p class="warning">${one.noCharts}</p>`;
  const sorted = [...charts].sort((a, b) => place(a.name) - place(b.name));
  return html`<div class="charts">${sorted.map((chart) => html`<figure class=${BROAD.has(chart.name) ? "broad" : ""} data-chart=${chart.name}>
    <h3>${chart.title}</h3>
    <des-chart role="img" aria-label=${`${chart.title}. ${chart.summary}`} .specification=${chart.spec}></des-chart>
    <figcaption>${chart.summary}</figcaption>
    ${folded(one, `table-${chart.name}`, false, "Table", table(chart.table.caption, chart.table.columns, chart.table.rows))}
  </figure>`)}</div>`;
}

function place(name) {
  const found = ORDER.indexOf(name);
  return found < 0 ? ORDER.length : found;
}

function table(caption, columns, rows) {
  return html`<div class="wide" tabindex="0" role="region" aria-label=${caption}><table><caption>${caption}</caption>
    <thead><tr>${columns.map((name) => html`<th scope="col">${name || html`<span class="unseen">figure</span>`}</th>`)}</tr></thead>
    <tbody>${rows.map((cells) => cells.length === 1
      ? html`<tr class="title"><th scope="rowgroup" colspan=${columns.length}>${cells[0]}</th></tr>`
      : html`<tr>${cells.map((cell, at) => at ? html`<td>${cell}</td>` : html`<th scope="row">${cell}</th>`)}</tr>`)}</tbody>
  </table></div>`;
}

function shares({ served, lost_to: lost, lost_to_note: note }) {
  const part = (title, column, rows, nameOf) => rows?.length
    ? html`<div>${table(title, [column, "share"], rows.map((row) => [nameOf(row), row.share?.shown ?? "–"]))}</div>` : nothing;
  return html`<section class="block pair">${part("Who served the answered requests", "leg", served, (row) => row.leg)}
    ${lost?.length || note ? html`<div>${part("What the lost ones were lost to", "cause", lost, (row) => row.cause)}
      ${note ? html`<p class="aside" id="lost-to-note">${note[0].toUpperCase()}${note.slice(1)}.</p>` : nothing}</div>` : nothing}</section>`;
}

function behind(answer) {
  const notes = [...(answer.estimators?.text ?? []), ...(answer.remarks ?? [])];
  const assumed = answer.assumed ?? [];
  return html`<section class="block"><h2>What the figures rest on</h2>
    ${(answer.not_seen ?? []).map((each) => html`<p class="warning">${each}</p>`)}
    <ul class="notes">${notes.map((each) => html`<li>${each}</li>`)}</ul>
    ${assumed.length ? html`<div class="wide" tabindex="0" role="region" aria-label="Defaults in effect"><table class="words">
      <caption>Defaults in effect, and who says so</caption>
      <thead><tr><th scope="col">of</th><th scope="col">default</th><th scope="col">source</th></tr></thead>
      <tbody>${grouped(assumed).map(({ of, values, source }) => html`<tr><th scope="row">${of}</th><td>${values.join(", ")}</td>
        <td class="long">${source}</td></tr>`)}</tbody></table></div>` : nothing}
  </section>`;
}

// Defaults of the same thing with the same source stand in one row.
function grouped(assumed) {
  const rows = new Map();
  for (const { of, field, value, source, date } of assumed) {
    const key = JSON.stringify([of, source, date]);
    if (!rows.has(key)) rows.set(key, { of, values: [], source: cited(source, date) });
    const name = field.replaceAll("_", " ");
    rows.get(key).values.push(value.endsWith(name) ? value : `${name} ${together(value)}`);
  }
  return [...rows.values()];
}
