// Tables as text: what `release` reads, and what a spreadsheet takes.
function csvCell(text) {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvText(rows) {
  return rows.map((row) => row.map((cell) => csvCell(String(cell))).join(",")).join("\n") + "\n";
}

function csvRows(text) {
  const rows = [];
  let [row, cell, quoted, started] = [[], "", false, false];
  const source = text.replace(/^\ufeff/, "");
  for (let at = 0; at < source.length; at += 1) {
    const letter = source[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (source[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (letter === '"' && cell === "") { quoted = true; started = true; } else if (letter === ",") {
      row.push(cell);
      [cell, started] = ["", true];
    } else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && source[at + 1] === "\n") at += 1;
      if (started || cell !== "" || row.length) rows.push([...row, cell]);
      [row, cell, started] = [[], "", false];
    } else cell += letter;
  }
  if (quoted) throw new Error("a quote is opened and not closed");
  if (started || cell !== "" || row.length) rows.push([...row, cell]);
  return rows;
}
