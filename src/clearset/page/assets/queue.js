// The doubtful images, worst first, and one of them with all that speaks for and against it.
const chosen = { rule: "", split: "", fate: "", text: "", open: true };
const lost = (place) => Number(images.error[place] !== ""); // last: there is nothing to look at
const worst = images.id.map((_, place) => Math.max(0, ...askingOf(place).map((each) => excess(each, place))));
const doubtful = images.id
  .map((_, place) => place)
  .filter((place) => images.decision[place] !== KEEP)
  .sort((one, two) => lost(one) - lost(two) || (images.decision[two] === "drop") - (images.decision[one] === "drop") || worst[two] - worst[one] || one - two);
let queue = [];
let current = -1;
let list = null;

function narrowed() {
  const text = chosen.text.toLowerCase();
  return doubtful.filter((place) =>
    (!chosen.rule || flagsOf[place].some((each) => each.name === chosen.rule))
    && (!chosen.split || images.split[place] === chosen.split)
    && (!chosen.fate || fate(place) === chosen.fate)
    && (!text || images.id[place].toLowerCase().includes(text) || (rulings.get(place)?.note ?? "").toLowerCase().includes(text))
    && (chosen.open || !rulings.has(place)));
}

const narrow = matchMedia("(max-width: 800px)"); // one column: the list lies above the image

function startQueue() {
  document.getElementById("filtering").open = !narrow.matches;
  list = new Sight(document.getElementById("queue"), 72, queueRow);
  const box = document.getElementById("filters");
  const asking = rules.filter((each) => each.action !== KEEP && flaggedBy(each).length);
  box.append(
    choice("Rule", "rule", [["", "every rule"], ...asking.map((each) => [each.name, `${each.name} (${flaggedBy(each).length})`])]),
    choice("Split", "split", [["", "every split"], ...[...new Set(images.split)].sort().map((name) => [name, name || "none"])]),
    choice("Becomes", "fate", [["", "anything"], ...["kept", "repaired", "dropped"].map((name) => [name, name])]),
    make("label", {}, "Name", make("input", { type: "search", id: "queue-text", oninput: (event) => { chosen.text = event.target.value; renew(); } })),
    make("label", {}, make("input", { type: "checkbox", checked: true, onchange: (event) => { chosen.open = event.target.checked; renew(); } }), "decided ones too"),
  );
  renewSaving();
  renew();
  listeners.push(() => { list.refresh(); ruledOn(); });
  document.getElementById("queue").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key];
    if (step) { event.preventDefault(); move(step); }
  });
}

function choice(label, name, options) {
  const select = make("select", { id: `queue-${name}`, onchange: (event) => { chosen[name] = event.target.value; renew(); } });
  select.append(...options.map(([value, text]) => make("option", { value }, text)));
  return make("label", {}, label, select);
}

function renew() {
  const open = queue[current];
  queue = narrowed();
  current = Math.max(queue.indexOf(open), queue.length ? 0 : -1);
  list.show(queue);
  showOne();
  renewSaving();
}

function queueRow(place, number) {
  const ruling = rulings.get(place);
  const asking = askingOf(place).map((each) => each.name).join(", ");
  return make(
    "div",
    { class: "item", role: "option", id: `item-${place}`, "aria-selected": String(number === current), onclick: () => pick(number) },
    picture(thumbPath(place), ""),
    make("div", {},
      make("b", { title: names[place] }, names[place]),
      make("small", {}, asking),
      make("small", { class: ruling?.decision ?? "" }, ruling ? `you: ${ruling.decision}` : facts.releases ? `without you: ${images.fate[place]}` : "")),
  );
}

function pick(number) {
  current = number;
  list.refresh();
  showOne();
  if (narrow.matches) document.getElementById("one").scrollIntoView();
}

function move(step) {
  if (!queue.length) return;
  current = Math.min(queue.length - 1, Math.max(0, current + step));
  list.reveal(current);
  showOne();
}

function showOne() {
  const box = document.getElementById("one");
  const place = queue[current];
  document.getElementById("queue").setAttribute("aria-activedescendant", place === undefined ? "" : `item-${place}`);
  if (place === undefined) {
    box.replaceChildren(make("p", {}, doubtful.length ? "No doubtful image is left under these filters." : "No image is doubtful."));
    return;
  }
  box.replaceChildren(imageView(place));
  ruledOn();
}

// Everything on one image; `place` in the order of image_id.
function imageView(place) {
  const seen = make("div", {}, lookAt(place));
  const partners = nearby(place).map(([other, text]) => card(other, text, () => seen.replaceChildren(lookAt(place, other))));
  const repair = images.steps[place]
    ? [make("p", {}, `Repair tried: ${images.steps[place]}. ${verdictWords(place)}`)] : [];
  return make("div", {},
    make("h3", {}, names[place]),
    rulingBar(place),
    seen,
    ...repair,
    make("ul", { class: "why" }, ...flagsOf[place].map((each) => why(each, place))),
    make("p", {}, make("small", {}, `${images.split[place] || "no split"}; ${sizeWords(place)}${Math.ceil(images.bytes[place] / 1000)} kB${facts.releases ? `. If you say nothing: ${images.fate[place]}, ${images.reason[place]}` : ""}.`)),
    partners.length ? make("div", {}, make("h3", {}, "Nearest images (choose one to lay it beside this one)"), make("div", { class: "strip" },
      images.after[place] || images.mask[place] ? button("this one alone", () => seen.replaceChildren(lookAt(place))) : null, ...partners)) : null);
}

function sizeWords(place) {
  return images.width[place] ? `${images.width[place]} x ${images.height[place]} px, ${images.bits[place]} bits, ` : "";
}

function verdictWords(place) {
  const by = images.refused_by[place] ? ` (by ${images.refused_by[place]})` : "";
  return { accepted: "It is accepted: it enters the release.", refused: `It is refused${by}: the original stays.`, not_told: `Whether it helps is not told${by}: the original stays.` }[images.verdict[place]] ?? "";
}

function why(each, place) {
  const value = facts.metrics[each.metric][place];
  const { sorted } = spread(each.metric);
  const share = sorted.length > 1 ? below(sorted, value) / (sorted.length - 1) : 0;
  const bound = each.min !== null && value < each.min ? `below ${shown(each.min)}` : `above ${shown(each.max)}`;
  const whole = sorted.length && sorted.every((one) => one === 0 || one === 1); // yes or no: it has no place among others
  const rest = `${each.metric} ${shown(value)} is ${bound}${whole ? "" : `; ${Math.round(share * 100)} % of the images lie below it`}`;
  if (whole) return make("li", {}, make("b", {}, each.name), `: it ${each.one}${each.action === KEEP ? " (only counted)" : ""}. `, make("small", {}, rest));
  const scale = make("div", { class: "scale", role: "img", "aria-label": rest }, make("i", { style: { left: `${Math.min(99, share * 100)}%` } }));
  return make("li", {}, make("b", {}, each.name), `: it ${each.one}${each.action === KEEP ? " (only counted)" : ""}. `, make("small", {}, rest), scale);
}

function nearby(place) {
  const partners = new Map();
  for (const [one, two, inliers] of facts.relations.leaks) {
    if (one === place) partners.set(two, `same subject, ${inliers} inliers`);
    if (two === place) partners.set(one, `same subject, ${inliers} inliers`);
  }
  if (images.copies[place] >= 0) {
    images.copies.forEach((group, other) => { if (group === images.copies[place] && other !== place) partners.set(other, "the same pixels"); });
  }
  for (const [other, similarity] of facts.relations.nearest[place]) {
    if (!partners.has(other)) partners.set(other, `similarity ${shown(similarity)}`);
  }
  return [...partners].slice(0, 8);
}

// The buttons by which one image is ruled on. A note written before a decision waits for it.
function rulingBar(place) {
  if (!facts.releases) return null;
  const note = make("input", { type: "text", placeholder: "note", "aria-label": "Note on your decision", class: "noted" });
  note.addEventListener("change", () => {
    const ruling = rulings.get(place);
    if (ruling) rule([[place, ruling.decision, note.value]]);
    else if (note.value) say("This note is kept with your decision: say keep, repair or drop.");
  });
  return make("div", { class: "bar", "data-rule": place },
    ...WORDS.map((word, number) => button(`${word} (${number + 1})`, () => decide(place, word), { disabled: !allowed(place, word), "data-word": word, class: word })),
    note, button("take back", () => rule([[place, null]]), { class: "back" }));
}

// Show the ruling in place: what has the focus, or is being pressed, stays where it is.
function ruledOn() {
  for (const box of document.querySelectorAll("[data-rule]")) {
    const ruling = rulings.get(Number(box.dataset.rule));
    for (const each of box.querySelectorAll("[data-word]")) each.setAttribute("aria-pressed", String(ruling?.decision === each.dataset.word));
    const note = box.querySelector(".noted");
    const back = box.querySelector(".back");
    if (ruling ? note !== document.activeElement : !back.hidden) note.value = ruling?.note ?? "";
    back.hidden = !ruling;
  }
}

function decide(place, word) {
  const note = document.querySelector(`[data-rule="${place}"] .noted`)?.value;
  if (!rule([[place, word, note]])) return say(word === "repair" ? "No repair of this image was made." : "There is no copy of this image to keep.");
  return say(`${names[place]}: ${word}`);
}

function openImage(place) {
  if (!drawn.has("decide")) { drawn.add("decide"); startQueue(); }
  Object.assign(chosen, { rule: "", split: "", fate: "", text: "", open: true });
  for (const id of ["queue-rule", "queue-split", "queue-fate", "queue-text"]) document.getElementById(id).value = "";
  renew();
  let number = queue.indexOf(place);
  if (number < 0) { // not doubtful: shown all the same, at the head of the queue
    queue = [place, ...queue];
    number = 0;
    list.show(queue);
  }
  current = number;
  location.hash = "#decide";
  list.reveal(current);
  showOne();
}
