// What the page can do more where `clearset view` serves it: save to the review file, release.
const home = /^http:$/.test(location.protocol) && ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
const API = base === "" ? "../../../api/" : "../../api/"; // from data/report/NAME/, from reports/NAME/
let served = false;
let mark = null; // of the review file as this page knows it
let unsaved = ""; // why decisions are not in the review file, or that they are on their way
let releasing = false;
const EMPTY = "image_id,decision,note\n";

async function ask(what, options = {}) {
  const answer = await fetch(new URL(API + what, location.href), { cache: "no-store", ...options });
  const text = await answer.text();
  if (!answer.ok) throw Object.assign(new Error(text || answer.statusText), { status: answer.status });
  if (what === "rulings") mark = answer.headers.get("ETag");
  return text;
}

async function startServed() {
  if (!home) return;
  try {
    readRulings((await ask("rulings")) || EMPTY);
  } catch (error) {
    if (error instanceof TypeError || error.status) return; // another server, without these
    showText(`${facts.review} is not read: ${error.message}. Mend it and load this page anew; until then decisions are not saved there.`);
    return;
  }
  past.length = 0;
  served = true;
  listeners.unshift((saving) => { if (saving) save(); });
  addEventListener("focus", readAgain);
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  for (const part of document.querySelectorAll("nav .served")) part.hidden = false;
  renewSaving();
}

function savedWords() {
  return unsaved || `saved in ${facts.review}`;
}

let writing = Promise.resolve();
let writes = 0;
function save() {
  const text = csvText(table());
  writes += 1;
  const number = writes;
  unsaved = "saving ...";
  const settled = (words) => {
    if (number !== writes) return;
    unsaved = words;
    renewSaving();
  };
  writing = writing.then(() => ask("rulings", { method: "PUT", headers: { "Content-Type": "text/csv", "If-Match": mark }, body: text }))
    .then(() => settled(""), (error) => settled(`NOT saved: ${error.message}`));
}

// What another window has decided meanwhile, where all of this one's decisions are saved.
async function readAgain() {
  if (unsaved) return;
  const [known, text] = [mark, await ask("rulings").catch(() => null)];
  if (text === null || mark === known) return;
  try {
    readRulings(text || EMPTY, false);
    say(`${facts.review} was changed elsewhere, and is read again.`);
  } catch (error) {
    unsaved = `NOT read: ${error.message}`;
    renewSaving();
  }
}

async function release() {
  releasing = true;
  renewSaving();
  say("Releasing; this takes a while.");
  try {
    await writing;
    if (unsaved) throw new Error(`Not released, since your last decisions are not in ${facts.review}. ${unsaved}`);
    showText(await ask("release", { method: "POST" }));
  } catch (error) {
    showText(error.message);
  }
  releasing = false;
  renewSaving();
}

async function drawExperiments() {
  const box = document.getElementById("tried");
  if (!served) return;
  box.replaceChildren(make("p", {}, "Asking DVC ..."));
  try {
    const [header, ...body] = csvRows(await ask("experiments"));
    box.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...header.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))))));
  } catch (error) {
    box.replaceChildren(make("p", {}, error.message));
  }
}
