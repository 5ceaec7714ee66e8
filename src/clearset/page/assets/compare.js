// Before and after under one slider, from the whole picture to its single pixels, mask on top.
const ZOOMS = [["fit", "Whole"], ["1", "1:1"], ["2", "2x"], ["4", "4x"], ["8", "8x"]];
const look = { zoom: "fit", split: 50, mask: false, veil: 0.5 };

function lookAt(place, other = null) {
  const second = other === null ? picturePath(images.after[place]) : picturePath(images.before[other]) || thumbPath(other);
  const first = picturePath(images.before[place]) || thumbPath(place);
  const words = other === null ? ["before", "after the repair"] : [names[place], names[other]];
  if (!first) return make("p", { class: "note" }, images.error[place] ? `It can not be shown: ${images.error[place]}` : "There is no picture of it.");
  const canvas = make("div", { class: "canvas" });
  const stage = make("div", { class: "stage", tabindex: "0", role: "group", "aria-label": `Picture of ${names[place]}; scrolls when enlarged` }, canvas);
  const under = picture(first, words[0], { loading: "eager" });
  canvas.append(under);
  const fallback = thumbPath(place);
  under.addEventListener("error", () => { if (fallback && !under.src.endsWith(fallback)) under.src = fallback; }, { once: true });
  const over = second ? picture(second, words[1], { loading: "eager", class: other === null ? "" : "other" }) : null;
  const edge = make("span", { class: "edge" });
  if (over) canvas.append(over, edge);
  const maskPath = picturePath(images.mask[place]);
  const veil = maskPath ? picture(maskPath, "mask", { loading: "eager", hidden: !look.mask }) : null;
  if (veil) canvas.append(veil);

  function lay() {
    const [wide, high] = [images.width[place] || under.naturalWidth, images.height[place] || under.naturalHeight];
    const turned = under.naturalWidth && (under.naturalWidth > under.naturalHeight) !== (wide > high);
    const [width, height] = turned ? [high, wide] : [wide, high];
    const room = stage.clientWidth || 600;
    const scale = look.zoom === "fit" ? Math.min(room / width, (innerHeight * 0.62) / height, 8) : Number(look.zoom);
    canvas.style.width = `${Math.round(width * scale)}px`;
    canvas.style.height = `${Math.round(height * scale)}px`;
    canvas.classList.toggle("pixels", scale >= 1);
  }

  function slide() {
    if (over) over.style.clipPath = `inset(0 0 0 ${look.split}%)`;
    edge.style.left = `${look.split}%`;
    if (veil) { veil.hidden = !look.mask; veil.style.opacity = look.veil; }
  }

  const controls = make("div", { class: "bar" });
  if (over) {
    const slider = make("input", { type: "range", min: "0", max: "100", value: String(look.split), id: "wipe", "aria-label": `Left of the line ${words[0]}, right of it ${words[1]}` });
    slider.addEventListener("input", () => { look.split = Number(slider.value); slide(); });
    controls.append(make("label", {}, "before / after", slider));
  }
  for (const [zoom, text] of ZOOMS) {
    controls.append(button(text, () => { look.zoom = zoom; lay(); mark(); }, { "data-zoom": zoom }));
  }
  if (veil) {
    const box = make("input", { type: "checkbox", id: "veiled", checked: look.mask });
    box.addEventListener("change", () => { look.mask = box.checked; slide(); });
    const strength = make("input", { type: "range", min: "0", max: "100", value: String(look.veil * 100), "aria-label": "How much the mask covers" });
    strength.addEventListener("input", () => { look.veil = strength.value / 100; slide(); });
    const kinds = Object.entries(facts.classes).map(([name, colour]) => make("span", {}, make("span", { class: "swatch", style: { background: colour } }), name));
    controls.append(make("label", {}, box, "mask"), strength, ...kinds);
  }
  function mark() {
    for (const each of controls.querySelectorAll("[data-zoom]")) each.setAttribute("aria-pressed", String(each.dataset.zoom === look.zoom));
  }
  under.addEventListener("load", lay);
  drag(stage);
  mark();
  slide();
  requestAnimationFrame(lay);
  const legend = over ? make("p", { class: "legend" }, make("span", {}, `left: ${words[0]}`), make("span", {}, `right: ${words[1]}`)) : null;
  return make("div", { class: "compare" }, controls, stage, legend);
}

// Drag an enlarged picture with the mouse.
function drag(stage) {
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") from = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
  });
  stage.addEventListener("pointermove", (event) => {
    if (from) stage.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const name of ["pointerup", "pointerleave"]) stage.addEventListener(name, () => { from = null; });
}
