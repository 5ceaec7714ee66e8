// What the page can do more where `clearset view` serves it: save to the review file, release.
const home = /^http:$/.test(location.protocol) && ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
const API = base === "" ? "../../../api/" : "../../api/"; // from data/report/NAME/, from reports/NAME/
let served = false;
let mark = null; // of the review file as this page knows it

async function ask(what, options = {}) {
  const answer = await fetch(new URL(API + what, location.href), { cache: "no-store", ...options });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text || answer.statusText);
  if (what === "rulings") mark = answer.headers.get("ETag");
  return text;
}

async function startServed() {
  if (!home) return;
  try {
    readRulings((await ask("rulings")) || "image_id,decision,note\n");
  } catch (error) {
    if (error instanceof TypeError) return;
    say(`The review file is not read: ${error.message}`);
    return;
  }
  past.length = 0;
  served = true;
  listeners.push((saving) => { if (saving) save(); });
  for (const part of document.querySelectorAll("nav .served")) part.hidden = false;
  renewSaving();
}

let writing = Promise.resolve();
function save() {
  const text = csvText(table());
  writing = writing.then(() => ask("rulings", { method: "PUT", headers: { "Content-Type": "text/csv", "If-Match": mark }, body: text }))
    .then(() => { document.getElementById("saved").textContent = `saved in ${facts.review}`; })
    .catch((error) => say(`Not saved: ${error.message}`));
  return writing;
}

async function release(event) {
  const pressed = event.target;
  pressed.disabled = true;
  say("Releasing; this takes a while.");
  try {
    await writing;
    showOutput(await ask("release", { method: "POST" }));
  } catch (error) {
    showOutput(error.message);
  }
  pressed.disabled = false;
}

function showOutput(text) {
  const box = document.getElementById("keys");
  box.replaceChildren(make("pre", {}, text), button("close", () => box.close()));
  box.showModal();
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
