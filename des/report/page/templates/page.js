"use strict";
(() => {
  const found = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const BESIDE = 24;   // pixels right of the plot
  const views = new Map();

  // Width of the labels of the vertical axis, the same for all parts of a chart, so that they stand one above the other.
  const labels = (width) => Math.min(190, Math.round(width * (width < 480 ? 0.4 : 0.3)));

  // Every width that a specification leaves to its container becomes a number of pixels.
  const sized = (part, width) => {
    if (Array.isArray(part)) return part.map((each) => sized(each, width));
    if (part === null || typeof part !== "object") return part;
    const copy = {};
    for (const [name, value] of Object.entries(part)) {
      if (name === "datasets" || name === "values") copy[name] = value;
      else if (name === "width" && value === "container") copy[name] = width;
      else copy[name] = sized(value, width);
    }
    return copy;
  };

  // Whether some vertical axis has names, which need more room than numbers.
  const named = (part) => part !== null && typeof part === "object"
    && (part.encoding?.y?.type === "nominal"
      || Object.entries(part).some(([name, each]) => name !== "datasets" && name !== "data" && named(each)));

  const draw = async (id, inDark) => {
    const box = document.getElementById(id);
    const width = box.clientWidth;
    if (!width) return;
    const specification = found.charts[id];
    const beside = named(specification) ? labels(width) : 72;
    const config = structuredClone(inDark ? found.dark : found.light);
    config.axisY = { minExtent: beside - 14, maxExtent: beside - 14, labelLimit: beside - 18 };
    config.legend.columns = width < 480 ? 2 : 4;
    if (width < 480) config.legend.labelLimit = width / 2 - 40;
    const old = views.get(id);
    if (old) old.finalize();
    const options = { config, renderer: "svg", actions: false, tooltip: { theme: inDark ? "dark" : "light" } };
    const fitting = Math.max(120, width - beside - BESIDE);
    let view = await vegaEmbed(box, sized(specification, fitting), options);
    const over = Math.ceil(box.querySelector("svg").width.baseVal.value - width);  // a name may stand out on the right
    if (over > 0 && fitting - over >= 120) {
      view.finalize();
      view = await vegaEmbed(box, sized(specification, fitting - over), options);
    }
    views.set(id, view);
  };

  const drawAll = (inDark) => Promise.all(Object.keys(found.charts).map((id) => draw(id, inDark)))
    .then(() => { document.documentElement.dataset.charts = "drawn"; })
    .catch((error) => { document.documentElement.dataset.charts = "failed"; console.error(error); });

  let width = window.innerWidth;
  let waiting = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(() => drawAll(dark.matches), 150);
  });
  dark.addEventListener("change", () => drawAll(dark.matches));
  drawAll(dark.matches);
})();
