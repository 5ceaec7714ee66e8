// A slider a rule: what another bound would flag, how right it would be, and how to adopt it.
let ruleShown = null;
const SVG = { width: 640, height: 180, bars: 48, foot: 18 };
const MOST = 24; // images that change side, shown at once

function startBounds() {
  const box = document.getElementById("rules");
  box.append(...rules.map((each) => {
    const count = `${flaggedBy(each).length}${each.action === KEEP ? " (counts)" : ""}`;
    const entry = button(make("span", {}, each.name), () => showRule(each), { "data-name": each.name });
    entry.append(make("span", {}, count));
    return entry;
  }));
  if (rules.length) showRule(rules.find((each) => each.action !== KEEP && flaggedBy(each).length) ?? rules[0]);
}

function showRule(each) {
  ruleShown = each;
  for (const child of document.getElementById("rules").children) child.setAttribute("aria-pressed", String(child.dataset.name === each.name));
  const live = make("div");
  const steps = candidates(each.metric);
  const redraw = () => live.replaceChildren(...effect(each));
  const sides = ["min", "max"].filter((side) => each[side] !== null).map((side) => sideControl(each, side, steps, redraw));
  document.getElementById("rule").replaceChildren(
    make("h3", {}, each.name),
    make("p", {}, `Flags an image that ${each.one}: ${each.metric} ${["min", "max"].filter((s) => each[s] !== null).map((s) => `${s === "min" ? "below" : "above"} ${shown(each[s])}`).join(" or ")}. `, make("small", {}, each.trust)),
    ...sides,
    make("div", { class: "bar" }, button("back to the bound in use", () => { each.low = each.min; each.high = each.max; showRule(each); })),
    live,
  );
  redraw();
}

function sideControl(each, side, steps, redraw) {
  const key = side === "min" ? "low" : "high";
  const label = side === "min" ? "Flag below" : "Flag above";
  const slider = make("input", { type: "range", min: "0", max: String(Math.max(steps.length - 1, 0)), step: "1", id: `slide-${side}`, "aria-label": `${label}: slider` });
  const number = make("input", { type: "number", step: "any", id: `bound-${side}`, "aria-label": label });
  const put = () => {
    number.value = each[key];
    slider.value = String(below(steps, each[key]));
    slider.setAttribute("aria-valuetext", `${each.metric} ${shown(each[key])}`);
  };
  slider.addEventListener("input", () => { each[key] = steps[Number(slider.value)]; put(); redraw(); });
  number.addEventListener("change", () => {
    if (number.value !== "" && Number.isFinite(Number(number.value))) { each[key] = Number(number.value); }
    put();
    redraw();
  });
  put();
  return make("div", { class: "bar" }, make("label", { for: `slide-${side}` }, label), slider, number);
}

function effect(each) {
  const before = new Set(flaggedBy(each));
  const now = flaggedBy(each, each.low, each.high);
  const after = new Set(now);
  const joins = now.filter((place) => !before.has(place));
  const leaves = [...before].filter((place) => !after.has(place));
  const moved = each.low !== each.min || each.high !== each.max;
  return [
    histogram(each),
    figures(each, now.length, before.size),
    ...levels(each),
    each.metric.startsWith("surplus") ? make("p", {}, make("small", {}, "Which image of a group is surplus also depends on what other rules drop: the run settles it.")) : null,
    moved ? adoption(each) : make("p", {}, make("small", {}, "This is the bound in use.")),
    changing("Would be flagged too", joins, each),
    changing("Would not be flagged any more", leaves, each),
  ].filter(Boolean);
}

function figures(each, count, before) {
  const figure = (value, text) => make("div", {}, make("b", {}, value), text);
  const parts = [figure(count.toLocaleString("en"), `flagged of ${total.toLocaleString("en")}, ${before} now`)];
  const result = score(each, each.low, each.high);
  const share = (value) => (value === null ? "-" : `${Math.round(value * 100)} %`);
  if (result) {
    parts.push(figure(share(result.precision), `precision: ${result.right} of ${result.calls} flags right`), figure(share(result.recall), `recall: ${result.right} of ${result.positives} found`));
    parts.push(make("small", {}, `on ${each.cases.what}`));
  }
  if (each.chosen && each.trials.length) {
    const odd = new Set(each.atypical);
    const typical = total - odd.size;
    parts.push(figure(`${flaggedBy(each, each.low, each.high).filter((place) => !odd.has(place)).length}`, `of ${typical} typical images flagged`));
  }
  return make("div", { class: "figures", id: "figures", "data-flagged": String(count) }, ...parts);
}

function levels(each) {
  if (!each.trials.length) return [];
  const rows = each.trials.map((trial) => {
    const hits = trial.value.filter((value) => outside(value, each.low, each.high)).length;
    return make("tr", {}, make("td", {}, trial.fault), make("td", {}, trial.level), make("td", {}, `${hits} of ${trial.value.length}`));
  });
  return [make("details", {}, make("summary", {}, "Faults planted into your images: how many of each level this bound finds"),
    make("table", {}, make("thead", {}, make("tr", {}, ...["fault", "level", "found"].map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows)))];
}

function histogram(each) {
  const { sorted } = spread(each.metric);
  const label = `How ${each.metric} is spread over the images`;
  if (!sorted.length) return make("p", {}, "Nothing was measured for this rule.");
  const ends = [sorted[0], sorted[sorted.length - 1], each.low ?? sorted[0], each.high ?? sorted[0]];
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const span = last - first || 1;
  const bins = new Array(SVG.bars).fill(0);
  const out = new Array(SVG.bars).fill(0);
  for (const value of sorted) {
    const bin = Math.min(SVG.bars - 1, Math.floor(((value - first) / span) * SVG.bars));
    bins[bin] += 1;
    if (outside(value, each.low, each.high)) out[bin] += 1;
  }
  const most = Math.max(...bins);
  const high = SVG.height - SVG.foot;
  const chart = drawing("svg", { viewBox: `0 0 ${SVG.width} ${SVG.height}`, class: "chart", role: "img", "aria-label": label });
  const wide = SVG.width / SVG.bars;
  bins.forEach((count, number) => {
    const tall = count ? Math.max(2, (Math.sqrt(count) / Math.sqrt(most)) * (high - 4)) : 0;
    const flagged = count ? (tall * out[number]) / count : 0;
    const bar = (top, height, kind) => height > 0.01 && chart.append(drawing("rect", { x: number * wide + 0.5, y: top, width: wide - 1, height, class: kind }));
    bar(high - tall, tall - flagged, "in");
    bar(high - flagged, flagged, "out");
  });
  for (const bound of [each.low, each.high]) {
    if (bound === null) continue;
    const x = ((bound - first) / span) * SVG.width;
    chart.append(drawing("line", { x1: x, x2: x, y1: 0, y2: high, class: "line" }));
  }
  const left = drawing("text", { x: 2, y: SVG.height - 4 });
  left.textContent = shown(first);
  const right = drawing("text", { x: SVG.width - 2, y: SVG.height - 4, "text-anchor": "end" });
  right.textContent = `${shown(last)}   (bars grow with the root of the count)`;
  chart.append(left, right);
  return chart;
}

function quoted(word) {
  return /^[\w.=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function command(each) {
  const settings = [...each.reset];
  if (each.low !== each.min) settings.push(`${each.settings}min=${each.low}`);
  if (each.high !== each.max) settings.push(`${each.settings}max=${each.high}`);
  const { before, each: flag, after } = facts.adoption;
  const words = settings.map((setting) => `${flag.split(" ")[0]} ${quoted(flag.split(" ").slice(1).join(" ") + setting)}`);
  return [before, ...words, after].filter(Boolean).join(" ");
}

function adoption(each) {
  const text = command(each);
  return make("div", {}, make("p", {}, "To adopt it, run"), make("pre", { id: "adopt" }, text), button("copy the command", () => copyText(text)));
}

function changing(title, moved, each) {
  if (!moved.length) return null;
  const values = facts.metrics[each.metric];
  return make("div", {}, make("h3", {}, `${title}: ${counted(moved.length, "image")}`),
    make("div", { class: "strip" }, ...moved.slice(0, MOST).map((place) => card(place, shown(values[place])))),
    moved.length > MOST ? make("p", {}, make("small", {}, `${moved.length - MOST} more are not shown.`)) : null);
}
