// The part "Data": hear clips of the training data whose labels are likely wrong, and correct them by single keys.

import { getJson, sendJson, showProblem } from "./api.js";
import { chooseClasses } from "./chooser.js";
import { ClipView } from "./clip.js";
import { text } from "./strings.js";

const byId = (id) => document.getElementById(id);
const AHEAD = 3;

let model, view, clips = [], corrected = 0, leftOut = 0, at = 0, done = [];

export function startData(described) {
  model = described;
  view = new ClipView("data-clip", "data-clip-head", "data-sound");
  for (const button of byId("decisions").children) button.onclick = (event) => {
    if (event.detail) byId("data-card").focus({ preventScroll: true });
    act(button.dataset.decision);
  };
  document.addEventListener("keydown", onKey);
  document.addEventListener("tab", (event) => { if (event.detail === "data") load(); else view.stop(); });
  document.addEventListener("language", () => write());
  // decisions on findings of the check count, too
  document.addEventListener("finding", async () => { count(await getJson("/v1/data").catch(() => ({ corrected, left_out: leftOut }))); write(); });
}

function count(answer) {
  corrected = answer.corrected;
  leftOut = answer.left_out;
}

async function load() {
  try {
    const answer = await getJson("/v1/data");
    clips = answer.clips;
    count(answer);
    showProblem(byId("data-problem"), answer.possible ? null : answer.reason);
    byId("data-clips").hidden = !answer.possible;
    at = clips.findIndex((clip) => !clip.decision.length);
    if (at < 0) at = clips.length;
    show(false);
  } catch (problem) {
    showProblem(byId("data-problem"), problem);
  }
}

const clipOf = ({ key }) => ({ address: "/v1/data", key });

function show(play = true) {
  view.stop();
  write();
  const clip = clips[at];
  if (!clip) return;
  view.show(clipOf(clip), play).catch((problem) => showProblem(byId("data-problem"), problem));
  for (const next of clips.slice(at + 1, at + 1 + AHEAD)) view.fetch(clipOf(next)).catch(() => null);
}

function write() {
  const clip = clips[at], decided = clips.filter((one) => one.decision.length).length;
  byId("data-card").hidden = !clip;
  byId("data-counts").textContent = clips.length ? text("dataCounts", { n: clips.length, done: decided, corrected })
    : byId("data-problem").hidden ? text("dataNone") : "";
  byId("data-next").hidden = !(corrected || leftOut);
  if (!clip) return;
  const label = named(clip.label), suggestion = named(clip.suggestion);
  byId("data-question").textContent = text("dataQuestion", { label, suggestion });
  byId("data-facts").textContent = text("dataFacts", { name: clip.name, given: clip.given.toFixed(2), suggested: clip.suggested.toFixed(2) });
  byId("data-take").textContent = text("takeLabel", { suggestion });
  byId("data-keep").textContent = text("keepLabel", { label });
  const [word, ...labels] = clip.decision;
  const chosen = word === "labels" ? (labels.join(";") === clip.suggestion ? "take" : "other") : word;
  for (const button of byId("decisions").children) {
    button.classList.toggle("chosen", button.dataset.decision === chosen);
    if (button.dataset.decision !== "undo") button.setAttribute("aria-pressed", button.dataset.decision === chosen);
  }
}

const named = (labels) => labels.split(";").filter(Boolean).join(" + ") || text("nothing_label");

async function act(decision) {
  if (decision === "undo") {
    const last = done.pop();
    if (last && (await store(last, "", []))) {
      at = clips.indexOf(last);
      show();
    }
    return;
  }
  const clip = clips[at];
  if (!clip) return;
  let labels = clip.suggestion.split(";").filter(Boolean);
  if (decision === "other") {
    view.pause();
    labels = await chooseClasses(model.classes, model.multilabel);
    if (!labels.length) return;
  }
  const word = decision === "take" || decision === "other" ? "labels" : decision;
  if (!(await store(clip, word, word === "labels" ? labels : []))) return;
  done.push(clip);
  at = clips.indexOf(clip) + 1;
  while (clips[at]?.decision.length) at++;
  show();
}

async function store(clip, decision, labels) {
  try {
    await sendJson("PUT", "/v1/data/decisions", { key: clip.key, decision, labels });
  } catch (problem) {
    showProblem(byId("data-problem"), problem);
    return false;
  }
  showProblem(byId("data-problem"), null);
  corrected += (decision === "labels") - (clip.decision[0] === "labels");
  clip.decision = decision ? [decision, ...labels] : [];
  document.dispatchEvent(new Event("suspect")); // its label stands among the findings, too
  return true;
}

function onKey(event) {
  if (byId("data").hidden || event.ctrlKey || event.metaKey || event.altKey || byId("chooser").open) return;
  if (event.target.closest("[role=tablist]") && event.key.startsWith("Arrow")) return;
  const button = [...byId("decisions").children].find((one) => one.dataset.key === event.code);
  if (button) act(button.dataset.decision);
  else if (event.key === " " && !event.target.closest("button, a")) view.toggle();
  else if (event.key === "ArrowLeft") { at = Math.max(0, at - 1); show(); }
  else if (event.key === "ArrowRight") { at = Math.min(clips.length, at + 1); show(); }
  else return;
  event.preventDefault();
}
