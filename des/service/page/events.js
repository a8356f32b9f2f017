// Server-sent events read by fetch, because an EventSource cannot send a token. Resumes after the last event seen.

import { Problem, stream } from "./service.js";

const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];
const LAST = new Set(["done", "failed", "cancelled"]);

/** Calls `each(name, data)` for every event of a run, until its last one or until `signal` is aborted. */
export async function follow(path, each, signal) {
  let last = "";
  for (let failures = 0; ;) {
    try {
      const response = await stream(path, last, signal);
      for await (const event of eventsOf(response.body)) {
        failures = 0;
        last = event.id || last;
        each(event.name, JSON.parse(event.data));
        if (LAST.has(event.name)) return;
      }
    } catch (error) {
      if (error.name === "AbortError" || (error instanceof Problem && error.status >= 400 && error.status < 500)) throw error;
    }
    if (failures >= 2 * PAUSES_MS.length) throw new Problem("The service does not answer any more");
    await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)], signal);
    failures += 1;
  }
}

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const event = eventOf(part);
        if (event.data) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function eventOf(text) {
  const found = { id: "", name: "message", data: "" };
  for (const line of text.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "id") found.id = value;
    else if (field === "event") found.name = value;
    else if (field === "data") found.data += (found.data ? "\n" : "") + value;
  }
  return found;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });
}
