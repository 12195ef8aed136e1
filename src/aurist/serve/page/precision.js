// The precision that verdicts tell, in words and as bars with intervals.

import { text } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";
const percent = (share) => `${Math.round(100 * share)}%`;

function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Write the precision of a share of detections. */
export function precisionWords(share) {
  const unsure = share.unsure ? ` ${text("unsureWords", { n: share.unsure })}` : "";
  if (share.precision === null) return text("precisionNone") + unsure;
  const { right, judged, precision, low, high } = share;
  return text("precisionWords", { right, judged, share: percent(precision), low: percent(low), high: percent(high) }) + unsure;
}

/** Draw a row for each share: its name, a bar, the interval as a line, the counts. */
export function precisionChart(title, shares) {
  const figure = document.createElement("figure");
  figure.append(Object.assign(document.createElement("figcaption"), { textContent: title }));
  for (const share of shares) {
    const row = rowOf(share.name, share.precision, share.low, share.high, `${share.right}/${share.judged}`);
    row.title = precisionWords(share);
    figure.append(row);
  }
  return figure;
}

/** Draw a row for each score with its interval. */
export function intervalChart(scores) {
  const figure = document.createElement("figure");
  for (const { name, score, low, high } of scores) figure.append(rowOf(name, score, low, high, score.toFixed(3)));
  return figure;
}

function rowOf(name, share, low, high, count) {
  const row = document.createElement("div");
  row.className = "share";
  const bar = draw("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" });
  bar.append(draw("rect", { class: "rail", x: 0, y: 3, width: 100, height: 6 }));
  if (share !== null) {
    bar.append(draw("rect", { class: "bar", x: 0, y: 3, width: 100 * share, height: 6 }));
    bar.append(draw("line", { class: "whisker", x1: 100 * low, x2: 100 * high, y1: 6, y2: 6, "vector-effect": "non-scaling-stroke" }));
  }
  row.append(
    Object.assign(document.createElement("span"), { className: "share-name", textContent: name }), bar,
    Object.assign(document.createElement("span"), { className: "share-count", textContent: count }),
  );
  return row;
}
