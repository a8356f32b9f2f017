// The charts of the report in the page: the same Vega-Lite specifications, drawn by the same Vega.
//
// `ast: true` makes Vega interpret expressions instead of compiling them, so that the page needs no eval, and
// `defaultStyle: false` keeps it from adding styles, which are in page.css.

const BESIDE = 24;      // pixels right of the plot
const NARROW = 480;     // pixels; below it legends and labels have less room
const dark = window.matchMedia("(prefers-color-scheme: dark)");
let themes;
let library;

/** Vega and the colours of both grounds, loaded when the first chart is drawn. */
function loaded() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.type = "module";   // so that its many short names stay its own
    script.src = "/assets/vega.js";
    script.onload = resolve;
    script.onerror = () => reject(new Error("the library that draws charts could not be loaded"));
    document.head.append(script);
  });
  themes ??= fetch("/assets/theme.json").then((response) => response.json());
  return Promise.all([themes, library]).then(([found]) => found);
}

// Every width that a specification leaves to its container becomes a number of pixels.
function sized(part, width) {
  if (Array.isArray(part)) return part.map((each) => sized(each, width));
  if (part === null || typeof part !== "object") return part;
  const copy = {};
  for (const [name, value] of Object.entries(part)) {
    if (name === "datasets" || name === "values") copy[name] = value;
    else if (name === "width" && value === "container") copy[name] = width;
    else copy[name] = sized(value, width);
  }
  return copy;
}

// Whether some vertical axis has names, which need more room than numbers.
function named(part) {
  return part !== null && typeof part === "object"
    && (part.encoding?.y?.type === "nominal"
      || Object.entries(part).some(([name, each]) => name !== "datasets" && name !== "data" && named(each)));
}

// Vega's interpreter takes the one number of `datetime(ms)` for a year; the number alone means the same to a scale.
function withoutDatetime(compiled) {
  return JSON.parse(JSON.stringify(compiled).replace(/\bdatetime\((-?\d+(?:\.\d+)?)\)/g, "$1"));
}

/** A chart: its `specification` is drawn when it can be seen, and again when its width or the ground changes. */
class Chart extends HTMLElement {
  #specification;
  #text = "";
  #drawn = "";
  #view;
  #seen = false;
  #drawing = Promise.resolve();
  #watch = new IntersectionObserver((entries) => {
    this.#seen = entries.at(-1).isIntersecting;
    this.#draw();
  }, { rootMargin: "300px" });
  #resized = new ResizeObserver(() => this.#draw());
  #ground = () => this.#draw();

  set specification(value) {
    this.#specification = value;
    this.#text = JSON.stringify(value);
    this.#draw();
  }

  connectedCallback() {
    this.#watch.observe(this);
    this.#resized.observe(this);
    dark.addEventListener("change", this.#ground);
  }

  disconnectedCallback() {
    this.#watch.disconnect();
    this.#resized.disconnect();
    dark.removeEventListener("change", this.#ground);
    this.#view?.finalize();
    this.#view = undefined;
    this.#drawn = "";
  }

  // One drawing after another: the last one asked for is the one that stays.
  #draw() {
    this.#drawing = this.#drawing.then(() => this.#drawNow()).catch((error) => {
      this.dataset.drawn = "failed";
      this.textContent = `This chart could not be drawn: ${error.message}. The table below has its figures.`;
    });
  }

  async #drawNow() {
    const width = this.clientWidth;
    const wanted = `${width} ${dark.matches} ${this.#text}`;
    if (!this.isConnected || !this.#seen || !width || !this.#specification || wanted === this.#drawn) return;
    const found = await loaded();
    const specification = this.#specification;
    this.#drawn = wanted;
    const beside = named(specification) ? Math.min(190, Math.round(width * (width < NARROW ? 0.36 : 0.3))) : 72;
    const config = structuredClone(dark.matches ? found.dark : found.light);
    config.axisY = { minExtent: beside - 14, maxExtent: beside - 14, labelLimit: beside - 18 };
    config.legend.columns = width < NARROW ? 2 : 4;
    if (width < NARROW) config.legend.labelLimit = width / 2 - 40;
    const options = {
      ast: true, config, renderer: "svg", actions: false, defaultStyle: false, patch: withoutDatetime,
      tooltip: { theme: dark.matches ? "dark" : "light", disableDefaultStyle: true },
    };
    const fitting = Math.max(120, width - beside - BESIDE);
    this.style.minHeight = `${this.clientHeight}px`;   // so that the page does not jump while it is drawn again
    this.#view?.finalize();
    this.#view = await window.vegaEmbed(this, sized(specification, fitting), options);
    const over = Math.ceil(this.querySelector("svg").width.baseVal.value - width);   // a name may stand out on the right
    if (over > 0 && fitting - over >= 120) {
      this.#view.finalize();
      this.#view = await window.vegaEmbed(this, sized(specification, fitting - over), options);
    }
    this.querySelector("svg").setAttribute("aria-hidden", "true");   // the element has the label, the table the figures
    this.style.minHeight = "";
    this.dataset.drawn = "yes";
  }
}

customElements.define("des-chart", Chart);
