// All images in one table: sort, filter, copy. Only rows in sight exist.
const sorting = { name: "image_id", down: false };
const picked = { text: "", columns: ["image_id", "split", "decision", "becomes", "ruling", "rules"] };
const ROW = 34;
const OWN = {
  image_id: (place) => images.id[place],
  split: (place) => images.split[place],
  decision: (place) => images.decision[place],
  becomes: (place) => fate(place),
  ruling: (place) => rulings.get(place)?.decision ?? "",
  note: (place) => rulings.get(place)?.note ?? "",
  rules: (place) => flagsOf[place].map((each) => each.name).join(" "),
  reason: (place) => images.reason[place],
  repair: (place) => images.steps[place],
  verdict: (place) => images.verdict[place],
  width: (place) => images.width[place],
  height: (place) => images.height[place],
  bytes: (place) => images.bytes[place],
};
let rows = [];

function cellOf(name, place) {
  return name in OWN ? OWN[name](place) : facts.metrics[name][place];
}

function startTable() {
  const columns = [...Object.keys(OWN), ...Object.keys(facts.metrics)];
  picked.columns.push(...Object.keys(facts.metrics).slice(0, 4));
  const choose = make("details", {}, make("summary", {}, "columns"), make("div", { class: "bar" }, ...columns.map((name) => {
    const box = make("input", { type: "checkbox", checked: picked.columns.includes(name) });
    box.addEventListener("change", () => {
      picked.columns = columns.filter((one) => (one === name ? box.checked : picked.columns.includes(one)));
      drawTable();
    });
    return make("label", {}, box, name);
  })));
  document.getElementById("tabled").append(
    make("label", {}, "Search", make("input", { type: "search", id: "table-text", oninput: (event) => { picked.text = event.target.value; sortTable(); } })),
    button("copy for a spreadsheet", () => copyText([picked.columns, ...rows.map((place) => picked.columns.map((name) => spare(cellOf(name, place))))].map((row) => row.join("\t")).join("\n"))),
    make("span", { id: "table-count" }), choose);
  document.getElementById("rows").addEventListener("scroll", drawRows, { passive: true });
  listeners.push(() => { if (!document.getElementById("part-table").hidden) drawRows(); });
  sortTable();
}

// A cell that a spreadsheet takes as text: what begins like a formula gets an apostrophe.
function spare(value) {
  if (typeof value === "number" || value === null) return shown(value);
  const text = String(value).replace(/[\t\r\n]/g, " ");
  return /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

function sortTable() {
  const text = picked.text.toLowerCase();
  const { name, down } = sorting;
  const keys = images.id.map((_, place) => cellOf(name, place));
  const order = (one, two) => {
    const [first, second] = [keys[one], keys[two]];
    if (first === second) return one - two;
    if (first === null || first === "") return 1;
    if (second === null || second === "") return -1;
    return (first < second ? -1 : 1) * (down ? -1 : 1);
  };
  rows = images.id.map((_, place) => place)
    .filter((place) => !text || `${images.id[place]} ${OWN.rules(place)} ${images.split[place]} ${images.decision[place]}`.toLowerCase().includes(text))
    .sort(order);
  drawTable();
}

function drawTable() {
  const head = make("tr", {}, ...picked.columns.map((name) => {
    const state = sorting.name === name ? (sorting.down ? "descending" : "ascending") : "none";
    const sign = { none: "", ascending: " \u25b2", descending: " \u25bc" }[state];
    return make("th", { scope: "col", "aria-sort": state }, button(`${name}${sign}`, () => {
      Object.assign(sorting, { down: sorting.name === name && !sorting.down, name });
      sortTable();
    }));
  }));
  document.getElementById("rows").replaceChildren(make("table", { "aria-rowcount": String(rows.length + 1) }, make("thead", {}, head), make("tbody")));
  document.getElementById("table-count").textContent = `${rows.length.toLocaleString("en")} of ${counted(total, "image")}`;
  drawRows();
}

function drawRows() {
  const box = document.getElementById("rows");
  const body = box.querySelector("tbody");
  if (!body) return;
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10);
  const last = Math.min(rows.length, first + Math.ceil((box.clientHeight || 600) / ROW) + 20);
  const pad = (height) => make("tr", { class: "pad", "aria-hidden": "true" }, make("td", { colspan: String(picked.columns.length), style: { height: `${height}px` } }));
  body.replaceChildren(
    pad(first * ROW),
    ...rows.slice(first, last).map((place, number) => make("tr", { "aria-rowindex": String(first + number + 2) }, ...picked.columns.map((name) => {
      const value = cellOf(name, place);
      return make("td", {}, name === "image_id" ? make("a", { href: "#decide", onclick: (event) => { event.preventDefault(); openImage(place); } }, names[place]) : typeof value === "number" ? shown(value) : value ?? "");
    }))),
    pad((rows.length - last) * ROW),
  );
}
