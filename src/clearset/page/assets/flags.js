// What rules flag at any bound: the same comparisons as the stage `filter` makes.
function outside(value, low, high) {
  return value !== null && ((low !== null && value < low) || (high !== null && value > high));
}

function flaggedBy(rule, low = rule.min, high = rule.max) {
  const values = facts.metrics[rule.metric];
  const result = [];
  for (let place = 0; place < total; place += 1) if (outside(values[place], low, high)) result.push(place);
  return result;
}

// Sorted values of each metric, their median and spread: where an image lies among the others.
const spreads = new Map();
function spread(metric) {
  if (!spreads.has(metric)) {
    const sorted = Float64Array.from(facts.metrics[metric].filter((value) => value !== null)).sort();
    const median = sorted.length ? sorted[sorted.length >> 1] : 0;
    const away = sorted.map((value) => Math.abs(value - median)).sort();
    const deviation = 1.4826 * (away.length ? away[away.length >> 1] : 0);
    const range = sorted.length ? sorted[sorted.length - 1] - sorted[0] : 0;
    spreads.set(metric, { sorted, median, scale: deviation || range / 6 || 1 });
  }
  return spreads.get(metric);
}

function below(sorted, value) {
  let first = 0;
  let last = sorted.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (sorted[middle] < value) first = middle + 1;
    else last = middle;
  }
  return first;
}

function excess(rule, place) {
  const value = facts.metrics[rule.metric][place];
  const over = Math.max(rule.max === null ? -Infinity : value - rule.max, rule.min === null ? -Infinity : rule.min - value);
  return over / spread(rule.metric).scale;
}

// Of every image the rules that flag it, as the stage `filter` had it.
const flagsOf = Array.from({ length: total }, () => []);
for (const rule of rules) for (const place of flaggedBy(rule)) flagsOf[place].push(rule);

function askingOf(place) {
  return flagsOf[place].filter((rule) => rule.action !== KEEP);
}

function score(rule, low, high) {
  if (!rule.cases) return null;
  const { value, positive, left_out: leftOut } = rule.cases;
  const values = value.length ? value : facts.metrics[rule.metric];
  const known = new Set(positive);
  const spared = new Set(leftOut);
  let [right, calls] = [0, 0];
  values.forEach((one, place) => {
    if (spared.has(place) || !outside(one, low, high)) return;
    calls += 1;
    if (known.has(place)) right += 1;
  });
  const positives = known.size;
  return { right, calls, positives, precision: calls ? right / calls : null, recall: positives ? right / positives : null };
}

// Bounds half-way between neighbouring values: to six digits where these still tell the two apart.
function candidates(metric) {
  const { sorted } = spread(metric);
  const bounds = [];
  let before = null;
  for (const value of sorted) {
    if (before !== null && value > before) {
      const middle = (before + value) / 2;
      const rounded = Number(middle.toPrecision(6));
      bounds.push(rounded > before && rounded < value ? rounded : middle);
    }
    before = value;
  }
  if (!sorted.length) return [];
  const step = spread(metric).scale / 100;
  return [Number((sorted[0] - step).toPrecision(6)), ...bounds, Number((sorted[sorted.length - 1] + step).toPrecision(6))];
}
