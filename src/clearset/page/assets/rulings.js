// A person's word on images: kept in the browser, written out as the file that `release` obeys.
const STORE = `clearset ${facts.name} rulings ${location.pathname}`;
let rulings = new Map(); // place -> {decision, note}
const past = []; // what undo goes back to
const STEPS = 500; // of undo
const listeners = [];
let storing = true; // whether the browser keeps decisions
let strangers = []; // rows of a file that was read whose image is not here

function recall() {
  try {
    for (const [id, decision, note] of JSON.parse(localStorage.getItem(STORE) ?? "[]")) {
      if (!WORDS.includes(decision)) continue;
      if (places.has(id)) rulings.set(places.get(id), { decision, note });
      else strangers.push([id, decision, note]);
    }
  } catch {
    storing = false;
    say("Decisions can not be kept in this browser: save them before you close the page.");
  }
}

function changed(saving = true) {
  try {
    localStorage.setItem(STORE, JSON.stringify(table().slice(1)));
  } catch {
    if (storing) say("The browser has no room for so many decisions: save them before you close the page.");
    storing = false;
  }
  for (const listener of listeners) listener(saving);
}

function allowed(place, decision) {
  if (decision === "repair") return images.steps[place] !== "";
  return decision !== KEEP || images.keepable[place] === 1;
}

function remember() {
  past.push([rulings, strangers]);
  if (past.length > STEPS) past.shift();
}

// What another window with this page has decided.
function recallOthers(event) {
  if (event.key !== STORE) return;
  remember();
  [rulings, strangers] = [new Map(), []];
  recall();
  for (const listener of listeners) listener(false);
}

// Rule on images, as one step of undo; null takes a ruling away. Returns how many were changed.
function rule(ruled) {
  const after = new Map(rulings);
  let number = 0;
  for (const [place, decision, note] of ruled) {
    if (decision !== null && !allowed(place, decision)) continue;
    number += 1;
    if (decision === null) after.delete(place);
    else after.set(place, { decision, note: note ?? after.get(place)?.note ?? "" });
  }
  if (number) {
    remember();
    rulings = after;
    changed();
  }
  return number;
}

function undo() {
  if (!past.length) return say("Nothing to undo.");
  [rulings, strangers] = past.pop();
  changed();
  return say("Undone.");
}

function table() {
  const rows = [...rulings.entries()].sort((one, two) => one[0] - two[0]);
  return [
    ["image_id", "decision", "note"],
    ...rows.map(([place, { decision, note }]) => [images.id[place], decision, note]),
    ...strangers,
  ];
}

// Leave out the decisions on images that are not here, at which `release` would stop.
function forgetStrangers() {
  remember();
  strangers = [];
  changed();
}

// Read a review file's text; throws an Error that names what is wrong.
function readRulings(text, saving = true) {
  const [header, ...rows] = csvRows(text);
  const columns = ["image_id", "decision", "note"].map((name) => (header ?? []).indexOf(name));
  if (columns.includes(-1)) throw new Error("its columns are not image_id, decision and note");
  const next = new Map();
  const unknown = [];
  for (const row of rows) {
    const [id, decision, note] = columns.map((column) => row[column] ?? "");
    if (row.length !== header.length) throw new Error(`${id} has ${row.length} cells in place of ${header.length}: a note with a comma stands in quotes`);
    if (!WORDS.includes(decision)) throw new Error(`'${decision}' for ${id} is none of ${WORDS.join(", ")}`);
    if (next.has(places.get(id))) throw new Error(`${id} stands in it twice`);
    if (decision === "repair" && places.has(id) && !allowed(places.get(id), decision)) throw new Error(`${id} was not repaired: say keep or drop`);
    if (places.has(id)) next.set(places.get(id), { decision, note });
    else unknown.push([id, decision, note]);
  }
  remember();
  rulings = next;
  strangers = unknown;
  changed(saving);
  return { read: next.size, unknown: unknown.map((row) => row[0]) };
}

// What becomes of an image in the release, by a person's word or without.
function fate(place) {
  const ruling = rulings.get(place);
  return ruling ? { keep: "kept", repair: "repaired", drop: "dropped" }[ruling.decision] : images.fate[place];
}
