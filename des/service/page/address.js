// The state of the page as the fragment of its address: `#v1.`, the request body in base64url, and `.` with the id of the
// run in full, if there is one.
// The fragment never leaves the browser, so an address that is shared tells the service nothing before it is opened.

const VERSION = "v1.";
const LONGEST = 60_000;   // characters; browsers and mail programs cut longer ones

/** The fragment for a body and a run, without `#`. */
export function written(body, run = "") {
  let bytes = "";
  for (const byte of new TextEncoder().encode(JSON.stringify(body))) bytes += String.fromCharCode(byte);
  const text = btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return VERSION + text + (run ? `.${run}` : "");
}

/** `{body, run}` of a fragment: undefined where it is empty. Throws Error where it cannot be read. */
export function read(fragment) {
  const text = fragment.replace(/^#/, "");
  if (text === "") return undefined;
  if (!text.startsWith(VERSION) || text.length > LONGEST) throw new Error("not a chain of this page");
  const [packed, run = ""] = text.slice(VERSION.length).split(".");
  const bytes = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const body = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (each) => each.charCodeAt(0))));
  if (!isBody(body)) throw new Error("no chain in it");
  return { body, run };
}

// What the page relies on while it shows a body; everything else is for the service to judge.
function isBody(body) {
  const object = (each) => each !== null && typeof each === "object" && !Array.isArray(each);
  const list = (each, test) => Array.isArray(each) && each.every((item) => object(item) && test(item));
  const text = (each) => typeof each === "string";
  return object(body) && list(body.chain, (leg) => text(leg.provider) && text(leg.model)) && body.chain.length > 0
    && ["workload", "policy", "objective", "value"].every((group) => body[group] === undefined || object(body[group]))
    && (body.shared === undefined || list(body.shared, (cause) => text(cause.name) && Array.isArray(cause.members)));
}
