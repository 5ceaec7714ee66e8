// Which part is shown, the keys, and what saves decisions.
const KEYS = [["j / k", "next, previous image"], ["1 / 2 / 3", "keep, repair, drop"], ["u", "undo"], ["n", "write a note"], ["b", "before or after"], ["z", "zoom"], ["m", "mask on or off"], ["?", "these keys"]];
const drawn = new Set();
const views = [...document.querySelectorAll(".view")];
let keysOn = true;
// Without their names the browser does not scroll past the way to the other parts.
for (const view of views) {
  view.dataset.part = view.id;
  view.id = `part-${view.id}`;
}

function renewSaving() {
  const box = document.getElementById("saving");
  const decided = doubtful.filter((place) => rulings.has(place)).length;
  document.getElementById("left").textContent = doubtful.length - decided || "";
  if (!facts.releases) return box.replaceChildren(make("p", {}, "These are tables without images: there is nothing to release, and so nothing to decide here."));
  const more = queue.length;
  const bulk = (word) => button(`${word} all ${more}`, () => { const number = rule(queue.map((place) => [place, word])); say(`${counted(number, "image")}: ${word}. Undo takes it back.`); }, { disabled: !more });
  const reader = make("input", { type: "file", accept: ".csv,text/csv", hidden: true, id: "reader", "aria-label": "Review file to read" });
  reader.addEventListener("change", async () => {
    try {
      const { read, unknown } = readRulings(await reader.files[0].text());
      say(`${counted(read, "decision")} read.${unknown.length ? ` Not here: ${unknown.slice(0, 3).join(", ")}${unknown.length > 3 ? " ..." : ""}.` : ""}`);
    } catch (error) {
      say(`This file is not read: ${error.message}`);
      reader.value = ""; // the same file may be chosen again, mended
    }
  });
  const open = box.querySelector("details")?.open ?? false;
  return refill(box,
    make("label", {}, `${decided} of ${doubtful.length} decided`, make("progress", { max: Math.max(doubtful.length, 1), value: decided })),
    served ? make("span", { id: "saved", class: unsaved ? "note" : "" }, savedWords()) : button("save decisions", saveFile, { class: "main", id: "save" }),
    served ? button("release", release, { class: "main", id: "release", disabled: releasing }) : null,
    button("undo", undo, { disabled: !past.length }),
    reader,
    button("read a file", () => reader.click()),
    make("details", { open }, make("summary", {}, `one decision for all ${more} shown`), make("div", { class: "bar" }, ...WORDS.map(bulk), button("take back", () => rule(queue.map((place) => [place, null]))), button("exact copies: keep the best", () => keepBest(copyGroups(), "exact copy")))),
    make("label", {}, make("input", { type: "checkbox", checked: keysOn, onchange: (event) => { keysOn = event.target.checked; } }), "keys"),
    button("?", showKeys, { "aria-label": "Which keys there are" }),
    strangers.length ? button(`leave out ${counted(strangers.length, "decision")} on images that are not here`, forgetStrangers) : null,
  );
}

function saveFile() {
  download(`${facts.name}.csv`, csvText(table()));
  showText(`Your browser has saved ${facts.name}.csv. Put it into the project's folder as ${facts.review}, then run ${facts.adoption.release}`);
}

function showText(text) {
  const box = document.getElementById("keys");
  box.replaceChildren(make("pre", { tabindex: "0" }, text), button("close", () => box.close()));
  if (!box.open) box.showModal();
}

function showKeys() {
  const box = document.getElementById("keys");
  box.replaceChildren(make("h2", {}, "Keys"), make("table", {}, make("tbody", {}, ...KEYS.map(([key, text]) => make("tr", {}, make("td", {}, make("kbd", {}, key)), make("td", {}, text))))), button("close", () => box.close()));
  box.showModal();
}

function pressKey(event) {
  if (!keysOn || event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return;
  if (event.target.matches("input:not([type=range]):not([type=checkbox]), select, textarea")) return;
  if (document.getElementById("part-decide").hidden) { if (event.key === "?") showKeys(); return; }
  const place = queue[current];
  const acts = {
    j: () => move(1), k: () => move(-1), u: undo, "?": showKeys,
    n: () => document.querySelector(".noted")?.focus(),
    z: () => { const at = ZOOMS.findIndex(([zoom]) => zoom === look.zoom); look.zoom = ZOOMS[(at + 1) % ZOOMS.length][0]; document.querySelector(`[data-zoom="${look.zoom}"]`)?.click(); },
    b: () => { const wipe = document.getElementById("wipe"); if (wipe) { wipe.value = Number(wipe.value) > 50 ? "0" : "100"; wipe.dispatchEvent(new Event("input")); } },
    m: () => document.getElementById("veiled")?.click(),
  };
  WORDS.forEach((word, number) => { acts[String(number + 1)] = () => { if (place !== undefined && facts.releases) decide(place, word); }; });
  const act = acts[event.key];
  if (act) { event.preventDefault(); act(); }
}

function route() {
  const [name, query] = location.hash.replace(/^#/, "").split("?");
  const known = views.map((view) => view.dataset.part);
  const wanted = known.includes(name) && (name !== "experiments" || served) ? name : "summary";
  for (const view of views) view.hidden = view.dataset.part !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const first = { decide: startQueue, bounds: startBounds, table: startTable }[wanted];
  if (first && !drawn.has(wanted)) { drawn.add(wanted); first(); }
  if (wanted === "groups") drawGroups();
  if (wanted === "experiments") drawExperiments();
  if (wanted === "decide" && query) {
    const select = document.getElementById("queue-rule");
    const asked = new URLSearchParams(query).get("rule");
    chosen.rule = [...select.options].some((option) => option.value === asked) ? asked : "";
    select.value = chosen.rule;
    renew();
  }
  if (wanted === "decide") list.refresh();
  if (wanted === "table") drawRows();
  scrollTo(0, 0);
}

recall();
renewSaving();
addEventListener("hashchange", route);
addEventListener("keydown", pressKey);
listeners.push(renewSaving);
addEventListener("storage", (event) => { if (!served) recallOthers(event); });
route();
startServed().then(() => route());
