// What the check before the fit found, in the part "Data": flawed clips, and pairs of clips side by side, to be kept or left out.

import { getJson, sendJson, showProblem } from "./api.js";
import { ClipView } from "./clip.js";
import { text } from "./strings.js";

const byId = (id) => document.getElementById(id);
const SIDES = ["a", "b"], LEAVE_OUT = "leave out", KEEP = "keep", LABELS = "labels";

let views, answer = null, chosen = null;

export function startCheck() {
  views = SIDES.map((side) => new ClipView(`check-clip-${side}`, `check-head-${side}`, `check-sound-${side}`));
  SIDES.forEach((side, number) => {
    byId(`check-play-${side}`).onclick = () => {
      views[1 - number].pause(); // one at a time
      views[number].toggle();
    };
    byId(`check-leave-${side}`).onclick = () => {
      const clip = answer.findings[chosen].clips[number];
      decide([clip], clip.decision === LEAVE_OUT ? "" : LEAVE_OUT);
    };
    byId(`check-same-${side}`).onclick = () => {
      const { clips } = answer.findings[chosen], other = clips[1 - number];
      decide([other], other.decision === LABELS ? "" : LABELS, clips[number].labels.split(";").filter(Boolean));
    };
  });
  byId("check-keep").onclick = () => decide(open(answer.findings[chosen]), isKept(answer.findings[chosen]) ? "" : KEEP);
  document.addEventListener("tab", (event) => { if (event.detail === "data") load(); else stop(); });
  document.addEventListener("language", () => write());
  document.addEventListener("suspect", () => load());
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

async function decide(clips, decision, labels = []) {
  try {
    for (const { key } of clips) await sendJson("PUT", "/v1/data/check/decisions", { key, decision, labels });
  } catch (problem) {
    return showProblem(byId("check-problem"), problem);
  }
  load(); // a clip may be in several findings
  document.dispatchEvent(new Event("finding"));
}

const open = ({ clips }) => clips.filter((clip) => clip.can_leave_out);
const isLeftOut = ({ clips }) => clips.some(({ decision }) => decision === LEAVE_OUT);
const isRelabelled = ({ clips }) => clips.some(({ decision }) => decision === LABELS);
const isKept = (finding) => open(finding).length > 0 && open(finding).every(({ decision }) => decision === KEEP);
const labelled = (clip) => (clip.labels ? clip.labels.split(";").join(" + ") : text("nothing_label"));
const differ = ({ clips }) => clips.length > 1 && clips[0].labels !== clips[1].labels;

function write() {
  if (!answer) return;
  const { possible, notes, findings } = answer;
  byId("check").hidden = !possible;
  byId("check-none").hidden = findings.length > 0;
  byId("check-notes").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  const decided = findings.filter((finding) => isLeftOut(finding) || isRelabelled(finding) || isKept(finding)).length;
  const out = new Set(findings.flatMap(({ clips }) => clips.filter(({ decision }) => decision === LEAVE_OUT).map(({ name }) => name)));
  byId("check-counts").textContent = findings.length ? text("checkCounts", { n: findings.length, decided, out: out.size }) : "";
  byId("check-list").replaceChildren(...findings.map((finding, number) => {
    const item = document.createElement("li"), button = document.createElement("button");
    const words = finding.clips.map(({ name }) => name.split("/").pop()).join(" – "); // the card has the whole names
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
  const more = [
    differ(finding) && text("labelsDiffer"), finding.left_out && text("leftOut"),
    isLeftOut(finding) ? text("youLeftOut") : isRelabelled(finding) ? text("youCorrected") : isKept(finding) && text("youKept"),
  ];
  return [kind, ...more.filter(Boolean)].join(", ");
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
    byId(`check-leave-${side}`).hidden = !clip.can_leave_out;
    press(byId(`check-leave-${side}`), clip.decision === LEAVE_OUT);
    byId(`check-leave-${side}`).setAttribute("aria-label", text("leaveOutClip", { name: clip.name }));
  });
  SIDES.forEach((side, number) => writeSame(byId(`check-same-${side}`), finding, finding.clips[number], finding.clips[1 - number]));
  byId("check-keep").hidden = !open(finding).length;
  byId("check-keep").textContent = text(finding.clips.length > 1 ? "keepBoth" : "keepIt");
  press(byId("check-keep"), isKept(finding));
}

/** Offer to give the other clip the label of this one. */
function writeSame(button, finding, clip, other) {
  const decided = other?.decision === LABELS;
  button.hidden = !(decided || differ(finding)) || open(finding).length < 2 || clip.decision === LABELS;
  if (button.hidden) return;
  button.textContent = text("bothAre", { label: labelled(clip) });
  press(button, decided);
}

function press(button, pressed) {
  button.classList.toggle("chosen", pressed);
  button.setAttribute("aria-pressed", pressed);
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
