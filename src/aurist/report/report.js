for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
    const body = table.tBodies[0], down = head.dataset.down = head.dataset.down === "1" ? "0" : "1";
    const value = row => { const text = row.cells[column].textContent.trim(), n = parseFloat(text.replaceAll(",", "")); return isNaN(n) ? text : n; };
    [...body.rows].sort((a, b) => { const x = value(a), y = value(b); return (x > y ? 1 : x < y ? -1 : 0) * (down === "1" ? -1 : 1); })
      .forEach(row => body.append(row));
  }));
}

// a cell of a table of counts lists its clips, and plays those whose sound is in this page
const held = JSON.parse(document.getElementById("cell-data")?.textContent ?? "null");
const part = document.getElementById("clips-of-cell"), AT_ONCE = 48;
let opened = null;

function element(kind, properties = {}, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

function player(row) {
  const sound = held.sounds[row], mistake = document.querySelector(`[data-row="${row}"] audio`);
  if (!sound && !mistake) return [];
  const audio = element("audio", { controls: true, preload: "none", src: sound?.sound ?? mistake.src });
  audio.setAttribute("aria-label", held.names[row]);
  const parts = [element("img", { src: sound?.picture ?? document.querySelector(`[data-row="${row}"] img`).src, alt: "Spectrogram" }), audio];
  if (sound?.slowed > 1) parts.push(element("div", { className: "muted", textContent: `ultrasound, played ${Math.round(sound.slowed)} times slower` }));
  return parts;
}

function list(clips, from) {
  const names = part.querySelector("ol"), more = part.querySelector(".more");
  for (const [row, words] of clips.slice(from, from + AT_ONCE))
    names.append(element("li", {}, element("b", { textContent: held.names[row] }), element("div", { className: "muted", textContent: words }), ...player(row)));
  const left = clips.length - from - AT_ONCE;
  more.hidden = left <= 0;
  more.textContent = `${left} more`;
  more.onclick = () => list(clips, from + AT_ONCE);
}

function close() {
  part.hidden = true;
  opened?.setAttribute("aria-expanded", "false");
  opened?.focus();
  opened = null;
}

function open(button) {
  opened?.setAttribute("aria-expanded", "false");
  opened = button;
  button.setAttribute("aria-expanded", "true");
  const { title, clips } = held.cells[button.dataset.cell];
  const silent = clips.every(([row]) => !player(row).length) ? " (this page does not hold their sound)" : "";
  part.hidden = false;
  part.querySelector("h3").textContent = `${title}: ${clips.length} ${clips.length === 1 ? "clip" : "clips"}${silent}`;
  part.querySelector("ol").replaceChildren();
  list(clips, 0);
  part.querySelector("h3").focus({ preventScroll: true });
  part.scrollIntoView({ block: "nearest" });
}

if (held && part) {
  for (const button of document.querySelectorAll("[data-cell]")) button.onclick = () => open(button);
  part.querySelector(".close").onclick = close;
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && opened) close(); });
}
