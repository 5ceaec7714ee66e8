"use strict";
// What the page knows, and what a person has done with it. Text from the data is set as text, never
// as markup.
const facts = JSON.parse(document.getElementById("facts").textContent);
const images = facts.images;
const rules = facts.rules;
const total = images.id.length;
// Names as they are shown: what would turn the line, or end it, is spelt out.
const names = images.id.map((id) => id.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`));
const base = document.documentElement.dataset.base;
const KEEP = "keep";
const WORDS = ["keep", "repair", "drop"];
const places = new Map(images.id.map((id, place) => [id, place]));
for (const rule of rules) {
  rule.low = rule.min;
  rule.high = rule.max;
}

// Numbers as tables have them: six digits.
function shown(number) {
  return number === null || number === undefined ? "" : String(Number(number.toPrecision(6)));
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function thumbPath(place) {
  return images.thumb[place] ? `${base}pictures/thumbs/${String(place).padStart(6, "0")}.jpg` : "";
}

function picturePath(path) {
  if (!path) return "";
  return path.startsWith("../") || path.startsWith("leaks/") ? base + path : `${base}pictures/${path}`;
}
