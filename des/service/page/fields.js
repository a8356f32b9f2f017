// Labelled fields, each with the faults that the service found at its place in the body.

import { html, nothing } from "./lit-html.js";
import { idOf } from "./words.js";

/** The faults of the last answer, by JSON pointer; those that a field has shown are not shown again elsewhere. */
export class Faults {
  #by = new Map();
  #shown = new Set();

  constructor(faults = []) {
    for (const { pointer = "", detail = "" } of faults) this.#by.set(pointer, [...(this.#by.get(pointer) ?? []), detail]);
  }

  /** Sentences for the field at a pointer, or for what lies within it where no field does. */
  at(pointer) {
    const found = this.#by.get(pointer);
    if (found) this.#shown.add(pointer);
    return found ?? [];
  }

  /** Whether something below a pointer is at fault. */
  within(pointer) {
    return [...this.#by.keys()].some((each) => each === pointer || each.startsWith(`${pointer}/`));
  }

  /** `[pointer, sentence]` of what no field has shown. Ask after the fields. */
  rest() {
    return [...this.#by].filter(([pointer]) => !this.#shown.has(pointer))
      .flatMap(([pointer, said]) => said.map((detail) => [pointer, detail]));
  }

  forget() {
    this.#shown.clear();
  }
}

/** The sentences at a place, after the `name` of its field, with the id that `aria-describedby` names. */
export function faultLines(faults, pointer, name = "") {
  const said = faults.at(pointer);
  return said.length ? html`<p class="fault" id=${`${idOf(pointer)}-fault`}>${name && `${name}: `}${said.join("; ")}</p>` : nothing;
}

/** A line of text. `placeholder` is the default in effect; an empty field has it. */
export function textField({ faults, pointer, name, value, placeholder = "", hint = "", change, half = false }) {
  const id = idOf(pointer);
  const lines = faultLines(faults, pointer, name);
  const described = lines === nothing ? nothing : `${id}-fault`;
  return html`<label class=${half ? "field half" : "field"} for=${id}><span class="name">${name}</span>
    <input type="text" id=${id} autocomplete="off" spellcheck="false" .value=${String(value ?? "")}
      placeholder=${placeholder} title=${hint || nothing} aria-invalid=${lines === nothing ? nothing : "true"}
      aria-describedby=${described} @input=${(event) => change(event.target.value.trim())}></label>${lines}`;
}

/** A choice among `[value, words]`. `shown` tells what is chosen now. */
export function choiceField({ faults, pointer, name, value, options, change, kind = "field" }) {
  const id = idOf(pointer);
  const known = options.some(([each]) => each === value);
  const every = known || value === undefined ? options : [[value, value], ...options];
  const lines = faultLines(faults, pointer, name);
  return html`<label class=${kind} for=${id}><span class=${kind.includes("bare") ? "unseen" : "name"}>${name}</span>
    <select id=${id} aria-invalid=${lines === nothing ? nothing : "true"}
      aria-describedby=${lines === nothing ? nothing : `${id}-fault`}
      @change=${(event) => change(event.target.value)}>${every.map(([each, words]) => html`<option
        .value=${each} .selected=${each === (value ?? "")}>${words}</option>`)}</select></label>${lines}`;
}
