// Elements, made without markup; and a list of which only what is in sight exists.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function drawing(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function button(text, action, attributes = {}) {
  return make("button", { type: "button", onclick: action, ...attributes }, text);
}

function picture(path, alt, attributes = {}) {
  if (!path) return make("span", { class: "none", role: "img", "aria-label": `no picture: ${alt}` });
  const image = make("img", { loading: "lazy", decoding: "async", alt, draggable: "false", ...attributes });
  image.addEventListener("error", () => { document.getElementById("blind").hidden = false; });
  image.src = path;
  return image;
}

function card(place, text, action) {
  const label = names[place];
  return make(
    "button",
    { type: "button", class: "card", title: label, onclick: action ?? (() => openImage(place)) },
    picture(thumbPath(place), ""),
    make("span", {}, label),
    text ? make("span", {}, text) : null,
  );
}

// Fill a box anew; what has the focus keeps it.
function refill(box, ...children) {
  const all = () => [...box.querySelectorAll("button, input, summary")];
  const at = all().indexOf(document.activeElement);
  box.replaceChildren(...children.filter(Boolean));
  if (at >= 0) all()[at]?.focus();
}

function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.textContent = ""; }, 5000);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    const field = make("textarea", { "aria-label": "text to copy" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    say(copied ? "Copied." : "The browser does not let this page copy: select the text instead.");
  }
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Rows of one height in a box that scrolls: `draw(entry, number)` makes those in sight.
class Sight {
  constructor(box, height, draw) {
    Object.assign(this, { box, height, draw, entries: [] });
    this.fill = make("div", { class: "fill", role: "presentation" });
    box.replaceChildren(this.fill);
    box.addEventListener("scroll", () => this.refresh(), { passive: true });
    new ResizeObserver(() => this.refresh()).observe(box);
  }

  show(entries) {
    this.entries = entries;
    this.fill.style.height = `${entries.length * this.height}px`;
    this.refresh();
  }

  refresh() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 5);
    const last = Math.min(this.entries.length, first + Math.ceil(this.box.clientHeight / this.height) + 10);
    const rows = [];
    for (let number = first; number < last; number += 1) {
      const row = this.draw(this.entries[number], number);
      row.style.top = `${number * this.height}px`;
      rows.push(row);
    }
    this.fill.replaceChildren(...rows);
  }

  reveal(number) {
    const top = number * this.height;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    if (top + this.height > scrollTop + clientHeight) this.box.scrollTop = top + this.height - clientHeight;
    this.refresh();
  }
}
