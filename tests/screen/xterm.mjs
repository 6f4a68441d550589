// a terminal for oracles.py: JSON lines in (rows, cols, base64 pieces), what it then shows as JSON lines out
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The addon takes the beginning of a Buffer's memory for its own: without this, it knows no character above U+FFFF.
Buffer.poolSize = 0;

const require = createRequire(process.argv[2] + "/");
const { Terminal } = require("@xterm/headless");
const { UnicodeGraphemesAddon } = require("@xterm/addon-unicode-graphemes");

const UNDERLINES = ["", "4", "4:2", "4:3", "4:4", "4:5"];

function colour(cell, which) {
  if (cell[`is${which}Default`]()) return "";
  const value = cell[`get${which}Color`]();
  if (cell[`is${which}Palette`]()) return String(value);
  return [value >> 16, (value >> 8) & 255, value & 255].join(",");
}

// It underlines links by itself, which no program has said: what the program said is only in its private field.
function underline(cell) {
  if (!cell.isUnderline()) return "";
  const { urlId, underlineStyle, _ext } = cell.extended;
  return UNDERLINES[urlId ? (_ext >> 26) & 7 : underlineStyle || 1];
}

function look(cell) {
  const flags = [["1", "Bold"], ["2", "Dim"], ["3", "Italic"], ["5", "Blink"], ["7", "Inverse"],
    ["8", "Invisible"], ["9", "Strikethrough"], ["53", "Overline"]];
  const set = flags.filter(([, name]) => cell[`is${name}`]()).map(([code]) => code);
  return [set.join(" "), underline(cell), colour(cell, "Fg"), colour(cell, "Bg")];
}

function rowOf(line, cols) {
  const cells = [];
  for (let col = 0; col < cols; col++) {
    const cell = line.getCell(col);
    cells.push(cell.getWidth() === 0 ? ["", look(cell)] : [cell.getChars() || " ", look(cell)]);
  }
  return cells;
}

async function show({ rows, cols, pieces }) {
  const terminal = new Terminal({ rows, cols, scrollback: 5000, allowProposedApi: true, logLevel: "off" });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  terminal.unicode.activeVersion = "15-graphemes";
  let title = "";
  terminal.onTitleChange((said) => { title = said; });
  for (const piece of pieces) {
    await new Promise((done) => terminal.write(Buffer.from(piece, "base64"), done));
  }
  const buffer = terminal.buffer.active;
  const main = terminal.buffer.normal;
  const screen = [], history = [];
  for (let row = 0; row < rows; row++) screen.push(rowOf(buffer.getLine(buffer.baseY + row), cols));
  for (let row = 0; row < main.baseY; row++) history.push(main.getLine(row).translateToString(true));
  const answer = {
    cells: screen, history, title, isAlternate: buffer.type === "alternate",
    cursor: [buffer.cursorY, Math.min(buffer.cursorX, cols - 1)],
  };
  terminal.dispose();
  return answer;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await show(JSON.parse(line))) + "\n");
}
