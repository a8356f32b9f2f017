// The page: its state is the body of a request and stands in the address. Every edit is simulated after a moment.

import { html, nothing, render } from "./lit-html.js";
import { answerBody, sentence } from "./answer.js";
import * as address from "./address.js";
import { first, ordered, sent } from "./body.js";
import { builder } from "./builder.js";
import { Faults } from "./fields.js";
import { FullRun, runPanel, save } from "./run.js";
import { Problem, get, hasToken, post, useToken } from "./service.js";
import { cut } from "./words.js";

const PAUSE_MS = 300;       // without an edit before the service is asked
const LONGEST_WAIT_S = 20;  // before it is asked again where it was too busy

const part = (id) => document.getElementById(id);
const full = new FullRun(() => {
  keep(false);
  show();
});
const open = new Set();
const state = {
  catalogue: undefined, body: undefined, faults: new Faults(), answer: undefined, charts: undefined, stale: false,
  noCharts: "", problem: undefined, warning: "", note: "", toast: "",
};
let asking = new AbortController();
let timer = 0;
let told;         // the answer that the live region has
let answerSeen = false;

function edit(body, { step = false, focus = [], said = "" } = {}) {
  Object.assign(state, { body, note: said, warning: "" });
  keep(step);
  later();
  show();
  const next = focus.map(part).find((each) => each && !each.disabled);
  next?.focus();
}

// The body, and the run that was started, in the address. A step can be undone by going back.
function keep(step) {
  const fragment = `#${address.written(state.body, full.id)}`;
  if (fragment === location.hash) return;
  history[step ? "pushState" : "replaceState"](null, "", fragment);
}

function later() {
  asking.abort();
  clearTimeout(timer);
  state.stale = true;
  timer = setTimeout(ask, PAUSE_MS);
}

async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { body, pointer } = sent(state.body);
  state.stale = true;
  show();
  try {
    const answer = await post("/simulate", body, signal);
    Object.assign(state, { answer, charts: undefined, stale: false, problem: undefined, faults: new Faults() });
    show();
    await askCharts(answer, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    fail(error, pointer);
  }
  show();
}

// Figures without charts are still figures: what went wrong stands in the place of the charts.
async function askCharts(answer, signal) {
  try {
    state.charts = (await get(answer.charts, signal)).charts;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    state.charts = [];
    state.noCharts = error.message;
    return;
  }
  state.noCharts = "";
}

function fail(error, pointer) {
  if (!(error instanceof Problem)) throw error;
  if ((error.status === 429 || error.status === 503) && error.retryAfterS !== undefined) {
    timer = setTimeout(ask, 1000 * Math.min(error.retryAfterS, LONGEST_WAIT_S));
  }
  state.problem = error;
  state.faults = new Faults(error.faults.map((fault) => ({ ...fault, pointer: pointer(fault.pointer ?? "") })));
}

function show() {
  if (!state.catalogue) return;
  state.faults.forget();
  render(builder({ ...state, open, edit, taken: taken() }), part("builder"));
  render(actions(), part("actions"));
  showSentence();
  const { answer, charts, stale } = state;
  render(statusLine(), part("status"));
  render(html`${state.warning ? html`<p class="warning" role="alert">${state.warning}</p>` : nothing}${runPanel(full)}${problemLines()}
    ${answer ? html`<div class=${look()}>${answerBody({ answer, charts, noCharts: state.noCharts, open, curl: curl(), reorder: reordering() })}</div>` : nothing}`, part("rest"));
  document.title = answer ? `${answer.title} – des` : "des: what a fallback chain buys";
  showPeek();
  document.documentElement.dataset.state = state.problem ? "problem" : stale ? "stale" : charts ? "drawn" : "answered";   // for tests
}

// Figures of the chain before the last change are paler while new ones are on their way, and grey where none come.
function look() {
  if (!state.answer) return "";
  return state.problem ? "old" : state.stale ? "stale" : "";
}

// The live region changes only with the answer, so that a reader hears each one once.
function showSentence() {
  const box = part("said");
  box.className = `lead ${look()}`;
  if (!state.answer) box.firstElementChild.textContent = state.problem ? "There are no figures yet." : "Simulating this chain.";
  else if (state.answer !== told) {
    if (!told) box.replaceChildren();   // what stood there before the first answer
    told = state.answer;
    render(sentence(state.answer), box);
  }
  render(html`${state.note || state.toast}`, part("note"));
  part("toast").hidden = !state.toast;
  render(html`${state.toast}`, part("toast"));
}

function statusLine() {
  if (state.problem) return state.answer ? html`<p class="status">These figures are of the chain before the last change</p>` : nothing;
  return state.stale ? html`<p class="status busy">Simulating</p>` : nothing;
}

function problemLines() {
  const { problem } = state;
  if (!problem) return nothing;
  const rest = state.faults.rest();
  const elsewhere = problem.faults.length - rest.length;
  return html`<div class="problem" role="alert"><p><strong>${
    problem.status === 422 ? "The chain cannot be simulated like this" : problem.title}</strong></p>
    ${rest.length ? html`<ul>${rest.map(([pointer, said]) => html`<li>${pointer ? html`<code>${pointer}</code>: ` : nothing}${said}</li>`)}</ul>` : nothing}
    ${elsewhere ? html`<p>${elsewhere > 1 ? "The fields at fault say" : "The field at fault says"} what to write.</p>` : problem.faults.length ? nothing : html`<p>${problem.message}</p>`}
    ${problem.status === 401 ? tokenForm() : problem.status === 422 ? nothing
      : html`<p><button type="button" id="again" @click=${ask}>Try again</button></p>`}</div>`;
}

function tokenForm() {
  return html`<form class="row" @submit=${(event) => {
    event.preventDefault();
    useToken(new FormData(event.target).get("token").trim());
    start();
  }}><input type="text" name="username" value="des" autocomplete="username" hidden>
    <label class="field" for="token"><span class="name">Token of this service</span>
      <input type="password" id="token" name="token" required autocomplete="current-password"></label>
    <button type="submit" class="first">Go on</button></form>`;
}

function wantsToken() {
  return hasToken() ? "That is not the token of this service." : "This service wants its token.";
}

function actions() {
  const ready = state.answer && !state.problem && !state.stale;
  return html`<button type="button" id="share" @click=${share}>Copy link</button>
    <button type="button" id="download" ?disabled=${!ready} @click=${download}>Download scenario</button>
    <button type="button" id="run-in-full" class="first" ?disabled=${!ready} @click=${() => full.start(state.answer)}>Run in full</button>`;
}

function taken() {
  if (!state.answer || !(state.body.shared ?? []).length) return "";
  const { text = "" } = state.answer.lost_to_sharing ?? {};
  return text && `${text[0].toUpperCase()}${text.slice(1)}.`;
}

// Takes the recommended order, where it is another than the chain's.
function reordering() {
  const { recommendation } = state.answer;
  if (!recommendation || recommendation.is_best || state.stale || state.problem) return undefined;
  const body = ordered(state.body, recommendation.order ?? []);
  if (!body || JSON.stringify(body.chain) === JSON.stringify(state.body.chain)) return undefined;
  return () => edit(body, { step: true, focus: ["answer"], said: "The chain has the recommended order." });
}

async function share() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast("The link is copied. Whoever opens it sees this chain.");
  } catch {
    toast("Copy the address of this page: the whole chain is in it.");
  }
}

function download() {
  const { scenario, file, command } = state.answer;
  save(new Blob([scenario], { type: "application/yaml" }), file);
  toast(`${file} is saved. Next: ${command}`);
}

function toast(words) {
  state.toast = words;
  show();
  setTimeout(() => {
    if (state.toast !== words) return;
    state.toast = "";
    show();
  }, 4000);
}

function curl() {
  const text = JSON.stringify(sent(state.body).body, null, 1).replaceAll("'", "'\\''");
  return `curl ${location.origin}/simulate -H 'Content-Type: application/json' -d '${text}'`;
}

// On a phone the answer is below the builder: two of its figures stay in view while one edits.
function showPeek() {
  const peek = part("peek");
  peek.hidden = !state.answer || answerSeen;
  if (!state.answer) return;
  const { uptime, cost } = state.answer;
  peek.className = `peek ${look()}`;
  render(html`<strong>${cut(uptime.as_modelled.availability?.shown)[0]}</strong> answered at
    <strong>${cut(cost.per_1000?.shown)[0]}</strong> per 1,000`, peek);
}

// The body of the address; the catalogue's own chain where there is none, or none that can be read.
function readAddress() {
  let found;
  let unread = false;
  try {
    found = address.read(location.hash);
  } catch {
    unread = true;
  }
  state.body = found?.body ?? first(state.catalogue);
  state.warning = unread ? "The address has no chain that this page can read. This is the usual one." : "";
  return found?.run ?? "";
}

async function start() {
  try {
    state.catalogue = await get("/catalogue");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    part("said").firstElementChild.textContent = error.status === 401 ? wantsToken() : error.message;
    render(error.status === 401 ? tokenForm() : html`<p><button type="button" id="again" @click=${start}>Try again</button></p>`, part("rest"));
    return;
  }
  const run = readAddress();
  if (run) full.resume(run);
  else keep(false);
  show();
  await ask();
}

part("skip").addEventListener("click", () => part("answer").focus());
part("peek").addEventListener("click", () => part("answer").scrollIntoView({ behavior: "smooth" }));
new IntersectionObserver((entries) => {
  answerSeen = entries.at(-1).isIntersecting;
  showPeek();
}, { rootMargin: "0px 0px -25% 0px" }).observe(part("answer"));
window.addEventListener("popstate", () => {
  if (!state.catalogue) return;
  readAddress();
  later();
  show();
});
start();
