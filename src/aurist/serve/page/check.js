// What the check before the fit found, in the part "Data": flawed clips, and pairs of clips side by side.

import { getJson, showProblem } from "./api.js";
import { ClipView } from "./clip.js";
import { text } from "./strings.js";

const byId = (id) => document.getElementById(id);
const SIDES = ["a", "b"];

let views, answer = null, chosen = null;

export function startCheck() {
  views = SIDES.map((side) => new ClipView(`check-clip-${side}`, `check-head-${side}`, `check-sound-${side}`));
  SIDES.forEach((side, number) => {
    byId(`check-play-${side}`).onclick = () => {
      views[1 - number].pause(); // one at a time
      views[number].toggle();
    };
  });
  document.addEventListener("tab", (event) => { if (event.detail === "data") load(); else stop(); });
  document.addEventListener("language", () => write());
}

function stop() {
  for (const view of views) view.stop();
}

async function load() {
  try {
    answer = await getJson("/v1/data/check");
    showProblem(byId("check-problem"), null);
    write();
  } catch (problem) {
    showProblem(byId("check-problem"), problem);
  }
}

const labelled = (clip) => (clip.labels ? clip.labels.split(";").join(" + ") : text("nothing_label"));
const differ = ({ clips }) => clips.length > 1 && clips[0].labels !== clips[1].labels;

function write() {
  if (!answer) return;
  const { possible, notes, findings } = answer;
  byId("check").hidden = !possible;
  byId("check-none").hidden = findings.length > 0;
  byId("check-notes").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  byId("check-list").replaceChildren(...findings.map((finding, number) => {
    const item = document.createElement("li"), button = document.createElement("button");
    const words = finding.clips.length > 1 ? finding.clips.map((clip) => clip.name).join(" – ") : finding.clips[0].name;
    button.type = "button";
    button.className = "recording";
    button.setAttribute("aria-current", number === chosen);
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: words });
    const kind = Object.assign(document.createElement("span"), { className: "length", textContent: kindOf(finding) });
    button.append(name, kind);
    button.onclick = () => choose(number);
    item.append(button);
    return item;
  }));
  writeCard();
}

function kindOf(finding) {
  const kind = text("findings")[finding.kind] ?? finding.kind;
  if (differ(finding)) return `${kind}, ${text("labelsDiffer")}`;
  return finding.left_out ? `${kind}, ${text("leftOut")}` : kind;
}

function writeCard() {
  const finding = answer.findings[chosen];
  byId("check-card").hidden = !finding;
  if (!finding) return;
  byId("check-title").textContent = `${kindOf(finding)}: ${finding.detail}`;
  SIDES.forEach((side, number) => {
    const clip = finding.clips[number];
    byId(`check-side-${side}`).hidden = !clip;
    if (!clip) return;
    byId(`check-name-${side}`).textContent = clip.name;
    byId(`check-label-${side}`).textContent = text("labelOf", { label: labelled(clip) });
    byId(`check-play-${side}`).setAttribute("aria-label", text("hear", { name: clip.name }));
  });
}

async function choose(number) {
  stop();
  chosen = number;
  write();
  byId("check-card").focus({ preventScroll: true });
  byId("check-card").scrollIntoView({ block: "nearest" });
  const clips = answer.findings[number].clips;
  for (const [side, clip] of clips.entries())
    views[side].show({ address: "/v1/data/check", key: clip.key }, false).catch((problem) => { if (chosen === number) showProblem(byId("check-problem"), problem); });
}
