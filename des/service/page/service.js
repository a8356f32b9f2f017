// What the page asks of the service. Every failure is a Problem, in the words of the service where it has some.

const TOKEN = "token";   // in the tab's own storage, never in an address

/** An answer other than 2xx (RFC 9457), or none at all. `faults` have a JSON pointer into the body and a sentence. */
export class Problem extends Error {
  constructor(title, { status = 0, detail = "", faults = [], retryAfterS = undefined } = {}) {
    super(detail || title);
    this.title = title;
    this.status = status;
    this.faults = faults;
    this.retryAfterS = retryAfterS;
  }
}

/** Keeps the bearer token for this tab. */
export function useToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

/** Whether requests carry a token, so that a plain link to a protected place would be refused. */
export function hasToken() {
  return Boolean(sessionStorage.getItem(TOKEN));
}

async function problemOf(response) {
  let said = {};
  try {
    said = await response.json();
  } catch {
    said = {};   // a proxy between may answer in HTML
  }
  const after = Number(response.headers.get("Retry-After"));
  return new Problem(said.title || `${response.status} ${response.statusText}`, {
    status: response.status,
    detail: said.detail || "",
    faults: Array.isArray(said.errors) ? said.errors : [],
    retryAfterS: Number.isFinite(after) && after > 0 ? after : undefined,
  });
}

async function asked(path, { headers = {}, ...options } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  let response;
  try {
    response = await fetch(path, { ...options, headers: token ? { ...headers, Authorization: `Bearer ${token}` } : headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service does not answer", { detail: "The service does not answer. Is des serve still running?" });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** JSON of a GET. */
export async function get(path, signal) {
  return (await asked(path, { signal, headers: { Accept: "application/json" } })).json();
}

/** JSON of the response to a POST of JSON. */
export async function post(path, body, signal) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return (await asked(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
}

/** The response of a stream of events after the one with the id `last`. */
export function stream(path, last, signal) {
  return asked(path, { signal, headers: { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) } });
}

/** The content of a file. */
export async function file(path) {
  return (await asked(path)).blob();
}

/** Frees what is at a path. */
export async function remove(path) {
  await asked(path, { method: "DELETE" });
}
