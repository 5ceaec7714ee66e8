// Copies, near copies, one subject in two splits, masks that contradict each other: side by side.
const SHOWN = 40; // groups of a kind drawn at once

function copyGroups() {
  const groups = new Map();
  images.copies.forEach((group, place) => {
    if (group >= 0) groups.set(group, [...(groups.get(group) ?? []), place]);
  });
  return [...groups.values()];
}

// Chains of links above the bound of the rule on near copies.
function nearGroups() {
  const each = rules.find((one) => one.metric === "nearest_similarity" && one.max !== null) ?? rules.find((one) => one.metric === "surplus_similarity");
  const bound = each ? each.high ?? each.max : 0.9;
  const parent = images.id.map((_, place) => place);
  const root = (place) => {
    let top = place;
    while (parent[top] !== top) { parent[top] = parent[parent[top]]; top = parent[top]; }
    return top;
  };
  for (const [one, two, similarity] of facts.relations.links) if (similarity > bound) parent[root(one)] = root(two);
  const groups = new Map();
  images.id.forEach((_, place) => { const top = root(place); groups.set(top, [...(groups.get(top) ?? []), place]); });
  return { bound, groups: [...groups.values()].filter((group) => group.length > 1).sort((one, two) => two.length - one.length || one[0] - two[0]) };
}

function best(group) {
  return group.reduce((one, two) => (images.rank[two] < images.rank[one] ? two : one));
}

// Keep the best of each group, drop the others: one step of undo.
function keepBest(groups, note) {
  const ruled = [];
  for (const group of groups) {
    const stays = best(group);
    ruled.push([stays, KEEP, note]);
    for (const place of group) if (place !== stays) ruled.push([place, "drop", `${note}: ${images.id[stays]} stays`]);
  }
  say(`${counted(rule(ruled), "image")} ruled on. Undo takes it back.`);
}

// A card that says how its image is ruled on, at once.
function ruledCard(place, text) {
  const made = card(place, text);
  made.append(make("span", { "data-ruled": place }));
  nameRuling(made.lastChild);
  return made;
}

function nameRuling(span) {
  const ruling = rulings.get(Number(span.dataset.ruled));
  span.className = ruling?.decision ?? "";
  span.textContent = ruling ? `you: ${ruling.decision}` : "";
}
listeners.push(() => document.querySelectorAll("[data-ruled]").forEach(nameRuling));

function groupBox(group, text) {
  const stays = best(group);
  return make("div", { class: "group" }, make("p", {}, text),
    make("div", { class: "strip" }, ...group.slice(0, 30).map((place) => ruledCard(place, `${place === stays ? "the best. " : ""}${images.split[place]}`))),
    group.length > 30 ? make("small", {}, `${group.length - 30} more`) : null,
    facts.releases ? make("div", { class: "bar" }, button("keep the best, drop the others", () => keepBest([group], "copy"))) : null);
}

function drawGroups() {
  const box = document.getElementById("grouped");
  const exact = copyGroups();
  const near = nearGroups();
  const part = (title, groups, bulk, draw) => [
    make("h3", {}, `${title}: ${groups.length.toLocaleString("en")}`),
    groups.length && bulk && facts.releases ? make("div", { class: "bar" }, button(`all ${groups.length}: keep the best, drop the others`, () => keepBest(groups, bulk))) : null,
    make("div", { class: "gathered" }, ...groups.slice(0, SHOWN).map(draw)),
    groups.length > SHOWN ? make("p", {}, make("small", {}, `${groups.length - SHOWN} more are not drawn here; the table of all images has them.`)) : null,
  ];
  const pair = (one, two, text, path) => make("div", { class: "group" }, make("p", {}, text),
    make("div", { class: "strip" }, card(one, images.split[one]), card(two, images.split[two])),
    path ? picture(picturePath(path), `${names[one]} laid onto ${names[two]}`, { class: "fit" }) : null);
  box.replaceChildren(...[
    ...part("Exact copies", exact, "exact copy", (group) => groupBox(group, `${group.length} images of the same pixels`)),
    ...part(`Near copies, more alike than ${shown(near.bound)}`, near.groups, "near copy", (group) => groupBox(group, `${group.length} images that are nearly the same, or joined by such`)),
    ...part("The same subject in two splits", facts.relations.leaks, "", ([one, two, inliers, path]) => pair(one, two, `${inliers} points of one fall onto the other: a model trained on one and tested on the other has seen the answer.`, path)),
    ...part("Masks that contradict each other", facts.relations.conflicts, "", ([one, two, name, dice]) => pair(one, two, `The same pixels, and masks of ${name || "one class"} that overlap by a Dice of ${shown(dice)}.`, "")),
  ].filter(Boolean));
}
