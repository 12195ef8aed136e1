// The part "Review": judge detections by single keys, the next one already loaded, each verdict saved at once.

import { address, getJson, showProblem } from "./api.js";
import { chooseClasses } from "./chooser.js";
import { ClipView } from "./clip.js";
import { precisionChart, precisionWords } from "./precision.js";
import { clock, text } from "./strings.js";
import { flush, save } from "./unsaved.js";

const byId = (id) => document.getElementById(id);
const AHEAD = 4, POLL = 2500, SHOWN_CLASSES = 12;

let model, view, sources = [], queue = [], all = 0, at = 0, revision = 0, done = [], loading = 0, wanted = null;

export function startReview(described) {
  model = described;
  view = new ClipView("clip", "clip-head", "clip-sound");
  byId("source").onchange = () => load();
  byId("review-label").onchange = () => load();
  for (const radio of document.querySelectorAll("[name=order]")) radio.onchange = () => load();
  byId("review-form").onsubmit = (event) => event.preventDefault();
  for (const button of byId("verdicts").children) button.onclick = (event) => {
    if (event.detail) byId("card").focus({ preventScroll: true }); // a mouse: the space bar plays, and does not judge again
    act(button.dataset.verdict);
  };
  document.addEventListener("keydown", onKey);
  document.addEventListener("tab", (event) => { if (event.detail === "review") open(); else view.stop(); });
  document.addEventListener("language", () => { fillSelects(); write(); loadProgress(); });
  document.addEventListener("back", () => sendWaiting());
  document.addEventListener("judge", (event) => { wanted = event.detail; }); // opened next
  setInterval(() => { if (!byId("review").hidden && !document.hidden && source()) loadProgress(); }, POLL);
  fillSelects();
}

const source = () => byId("source").value;
const order = () => document.querySelector("[name=order]:checked").value;
const current = () => queue[at];

function fillSelects() {
  const chosen = source();
  byId("source").replaceChildren(...sources.map(({ id, name, detections, judged }) => new Option(text("optionWords", { name, judged, n: detections }), id)));
  if (sources.some(({ id }) => id === chosen)) byId("source").value = chosen;
  const label = byId("review-label").value;
  byId("review-label").replaceChildren(new Option(text("all"), ""), ...model.classes.map((name) => new Option(name, name)));
  byId("review-label").value = label;
}

async function open() {
  try {
    sources = await getJson("/v1/review");
  } catch (problem) {
    return showProblem(byId("review-problem"), problem);
  }
  const before = source();
  fillSelects();
  if (sources.some(({ id }) => id === wanted)) byId("source").value = wanted;
  wanted = null;
  await sendWaiting();
  if (source() !== before || !current()) await load();
}

/** Fetch the detections of the chosen order that are not judged. */
async function load() {
  byId("order-note").textContent = text(`${order()}Note`);
  queue = [];
  done = [];
  at = 0;
  revision = 0;
  const turn = ++loading;
  byId("card").ariaBusy = "true"; // what it still shows cannot be judged any more
  if (source()) {
    byId("annotations").href = `/v1/review/${source()}/annotations.csv`;
    try {
      const answer = await getJson(address(`/v1/review/${source()}/queue`, { order: order(), label: byId("review-label").value, count: 500 }));
      if (turn !== loading) return;
      [queue, all, revision] = [answer.detections, answer.of, answer.revision];
      showProblem(byId("review-problem"), null);
    } catch (problem) {
      showProblem(byId("review-problem"), problem);
    }
    loadProgress();
  }
  byId("card").ariaBusy = "false";
  show();
}

/** Fetch what the verdicts tell, and those of other tabs. */
async function loadProgress() {
  const id = source();
  if (!id) return;
  const answer = await getJson(address(`/v1/review/${id}/progress`, { label: byId("review-label").value, after: revision })).catch(() => null);
  if (!answer || id !== source()) return;
  revision = answer.revision;
  const chosen = sources.find((one) => one.id === id), option = byId("source").selectedOptions[0];
  chosen.judged = answer.judged;
  option.textContent = text("optionWords", { name: chosen.name, judged: chosen.judged, n: chosen.detections });
  let hit = false;
  for (const { key, verdict, labels } of answer.changes) {
    const detection = queue.find((one) => one.key === key);
    if (!detection || detection.verdict === verdict) continue;
    Object.assign(detection, { verdict, labels });
    hit ||= detection === current();
  }
  byId("precision-words").textContent = precisionWords(answer.sample);
  byId("precision-bins").replaceChildren(...(answer.sample.judged ? [precisionChart(text("byBin"), answer.bins)] : []));
  const classes = answer.classes.toSorted((a, b) => b.judged - a.judged).slice(0, SHOWN_CLASSES);
  byId("precision-classes").replaceChildren(...(classes.length ? [precisionChart(text("byClass"), classes)] : []));
  if (hit) write();
}

function show() {
  view.stop();
  write();
  const detection = current();
  if (!detection) return;
  view.show(clipOf(detection), byId("autoplay").checked).catch((problem) => showProblem(byId("review-problem"), problem));
  for (const next of queue.slice(at + 1, at + 1 + AHEAD)) view.fetch(clipOf(next)).catch(() => null);
}

const clipOf = ({ key, start, end }) => ({ address: `/v1/review/${source()}`, key, start, end });

function write() {
  const detection = current();
  byId("card").hidden = !detection;
  byId("review-nothing").hidden = Boolean(detection);
  byId("review-nothing-words").textContent = source() && all ? text("allJudged", { n: all }) : text("nothingToJudge");
  byId("review-next").hidden = !(source() && all);
  byId("order-note").textContent = text(`${order()}Note`);
  if (!detection) return;
  byId("question").textContent = text("question", { label: detection.label });
  byId("detection-facts").textContent = text("detectionFacts", {
    score: detection.score.toFixed(2), recording: detection.recording, start: clock(detection.start, 1), end: clock(detection.end, 1),
  });
  const chosen = detection.verdict === "other" ? (detection.labels.length > 1 ? "several" : "another") : detection.verdict;
  for (const button of byId("verdicts").children) {
    const pressed = button.dataset.verdict === chosen;
    button.classList.toggle("chosen", pressed);
    if (button.dataset.verdict !== "undo") button.setAttribute("aria-pressed", pressed);
  }
}

async function act(verdict) {
  if (verdict === "undo") return undo();
  const detection = current();
  if (!detection) return;
  if (verdict === "another" || verdict === "several") {
    view.pause();
    const labels = await chooseClasses(model.classes, verdict === "several");
    if (labels.length && detection === current()) judge(detection, "other", labels);
  } else judge(detection, verdict, []);
}

function judge(detection, verdict, labels) {
  done.push(detection);
  store(detection, verdict, labels);
  move(1);
}

function undo() {
  const detection = done.pop();
  if (!detection) return;
  store(detection, "", []);
  at = queue.indexOf(detection);
  show();
}

/** Go to the next detection without a verdict, or one step back. */
function move(step) {
  at += step;
  while (step > 0 && queue[at]?.verdict) at++;
  at = Math.max(0, Math.min(at, queue.length));
  show();
}

async function store(detection, verdict, labels) {
  Object.assign(detection, { verdict, labels });
  try {
    const waiting = await save(source(), { key: detection.key, verdict, labels });
    const words = labels.join(", ") || { yes: text("yes"), no: text("no"), "?": text("unsure") }[verdict];
    writeSaved(waiting, verdict ? text("savedWords", { verdict: words }) : text("tookBack"));
    loadProgress();
  } catch (problem) {
    showProblem(byId("review-problem"), problem);
  }
}

async function sendWaiting() {
  const waiting = await flush().catch((problem) => showProblem(byId("review-problem"), problem));
  writeSaved(waiting ?? 0, "");
}

function writeSaved(waiting, words) {
  byId("saved").textContent = waiting ? text("notSaved", { n: waiting }) : words;
  byId("saved").classList.toggle("alert", waiting > 0);
}

function onKey(event) {
  if (byId("review").hidden || event.ctrlKey || event.metaKey || event.altKey || byId("chooser").open) return;
  if (event.target.closest("select, input[type=text]") || (event.target.closest("[role=tablist], input[type=radio]") && event.key.startsWith("Arrow"))) return;
  // by the place of the key: with a Korean keyboard the letter is another one
  const button = [...byId("verdicts").children].find((one) => one.dataset.key === event.code);
  if (button) act(button.dataset.verdict);
  else if (event.key === " " && !event.target.closest("button, input, a")) view.toggle();
  else if (event.key === "ArrowLeft") move(-1);
  else if (event.key === "ArrowRight") { at = Math.min(at + 1, queue.length); show(); }
  else return;
  event.preventDefault();
}
