// A run in full: posted, followed by its events, and then a link to its report.

import { html, nothing } from "./lit-html.js";
import { follow } from "./events.js";
import { Problem, file, get, hasToken, post, remove } from "./service.js";

const ENDED = new Set(["done", "failed", "cancelled"]);

/** The run that the page shows, if any. `changed()` is called whenever it has moved on. */
export class FullRun {
  #stop = new AbortController();
  #changed;
  run = undefined;      // as the service tells it
  problem = undefined;

  constructor(changed) {
    this.#changed = changed;
  }

  get id() {
    return this.run?.id ?? "";
  }

  /** Runs the scenario of an answer in the way that the answer says. */
  async start({ scenario, full }) {
    const asked = Object.fromEntries(Object.entries({ scenario, ...full }).filter(([, value]) => value !== null));
    this.#begin({ status: "queued", progress: 0, step: "asking", links: {} });
    await this.#guarded(async () => this.#follow(await post("/runs", asked, this.#stop.signal)));
  }

  /** Follows a run that was started before. */
  async resume(id) {
    this.#begin({ id, status: "queued", progress: 0, step: "", links: {} });
    await this.#guarded(async () => this.#follow(await get(`/runs/${encodeURIComponent(id)}`, this.#stop.signal)));
  }

  /** Stops the work and forgets it. */
  async cancel() {
    const self = this.run?.links?.self;
    this.dismiss();
    if (self) await remove(self).catch(() => {});
  }

  /** Forgets the run here; its work goes on. */
  dismiss() {
    this.#stop.abort();
    this.run = undefined;
    this.problem = undefined;
    this.#changed();
  }

  #begin(run) {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.run = run;
    this.problem = undefined;
    this.#changed();
  }

  async #follow(run) {
    this.#take(run);
    if (ENDED.has(run.status)) return;
    await follow(run.links.events, (name, data) => this.#take(ENDED.has(name) ? data : { ...this.run, ...data }), this.#stop.signal);
  }

  #take(run) {
    this.run = run;
    this.#changed();
  }

  async #guarded(work) {
    try {
      await work();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      this.#changed();
    }
  }
}

/** The panel of a run. */
export function runPanel(full) {
  const { run, problem } = full;
  if (!run) return nothing;
  const ended = ENDED.has(run.status) || problem;
  return html`<section class="run" aria-labelledby="run-title">
    <div class="row apart"><h2 id="run-title">${titleOf(run, problem)}</h2>
      <div class="row">${run.status === "done" ? reportLink(run) : nothing}
      ${ended ? html`<button type="button" class="plain" id="run-close" @click=${() => full.dismiss()}>Close</button>`
        : html`<button type="button" class="plain" id="run-cancel" @click=${() => full.cancel()}>Cancel</button>`}</div></div>
    ${ended ? nothing : html`<progress id="run-progress" max="1" aria-labelledby="run-title"
      .value=${Number(run.progress) || 0}></progress>`}
    <p class="aside">${problem ? problem.message : run.error || run.step || nothing}</p>
    ${run.status === "done" && run.links.traces && !hasToken() ? html`<p class="aside">Every request, as parquet:
      ${Object.entries(run.links.traces).map(([name, href]) => html`<a href=${href} download>${name}</a> `)}</p>` : nothing}
  </section>`;
}

function titleOf(run, problem) {
  if (problem) return "The run could not be followed";
  const share = `${Math.floor(100 * (Number(run.progress) || 0))} %`;
  return { queued: "In full: waiting its turn", running: `In full: ${share}`, done: "The run in full is done",
    failed: "The run failed", cancelled: "The run was cancelled" }[run.status] ?? run.status;
}

// A link cannot carry a token, and a page made here would have this page's policy: so the report is a download then.
function reportLink(run) {
  if (!hasToken()) return html`<a class="button first" id="run-report" href=${run.links.report} target="_blank" rel="noopener">Open the report</a>`;
  return html`<button type="button" class="first" id="run-report" @click=${async () => save(await file(run.links.report), "report.html")}>Download
    the report</button>`;
}

/** Offers a blob as a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
