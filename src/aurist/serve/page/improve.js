// The part "Improve": learn from verdicts and corrections, read an honest before and after, use the new model.

import { getJson, remove, sendJson, showProblem } from "./api.js";
import { intervalChart } from "./precision.js";
import { text } from "./strings.js";

const byId = (id) => document.getElementById(id);
const POLL = 1500;

let status = null;

export function startImproving() {
  byId("improve-form").onsubmit = (event) => {
    event.preventDefault();
    change(() => sendJson("POST", "/v1/improve", { seconds: Number(byId("improve-time").value) }));
  };
  byId("improve-cancel").onclick = () => change(async () => (await remove("/v1/improve")).json());
  byId("improve-use").onclick = () => change(() => sendJson("POST", "/v1/improve/use", {}), true);
  byId("improve-back").onclick = () => change(async () => (await remove("/v1/improve/use")).json(), true);
  document.addEventListener("tab", (event) => event.detail === "improve" && load());
  document.addEventListener("language", () => status && write());
  setInterval(() => { if (!byId("improve").hidden && !document.hidden && status?.state === "running") load(); }, POLL);
}

const load = () => change(() => getJson("/v1/improve"));

async function change(action, otherModel = false) {
  try {
    status = await action();
    showProblem(byId("improve-problem"), null);
    if (otherModel) document.dispatchEvent(new Event("model"));
  } catch (problem) {
    showProblem(byId("improve-problem"), problem);
  }
  if (status) write();
}

function write() {
  const { possible, reason, state, result } = status, running = state === "running";
  byId("improve-form").hidden = !possible;
  byId("improve-counts").textContent = possible
    ? text("improveCounts", { learn: status.learn, held: status.held_out, random: status.held_out_random, corrected: status.corrected }) : reason;
  writeForesight(possible && !running && Boolean(status.learn || status.held_out || status.corrected));
  byId("improve-start").disabled = running || !(status.learn || status.corrected);
  byId("improve-cancel").hidden = !running;
  byId("improve-running").hidden = !running;
  byId("improve-progress").value = status.progress;
  byId("improve-models").textContent = status.models.length ? text("fittedModels", { names: status.models.join(", ") }) : text("nothingFitted");
  if (state === "failed") showProblem(byId("improve-problem"), status.message);
  byId("improve-result").hidden = !result;
  if (result) writeResult(result);
}

/** Say before the fit whether verdicts will tell which model is better, and else what to do. */
function writeForesight(shown) {
  const words = text("foresight")[status.comparison];
  byId("improve-foresight").hidden = !shown || !words;
  byId("improve-foresight").textContent = words ?? "";
}

function writeResult({ clips, corrected, comparison, problem, on_data: onData }) {
  byId("improve-use").hidden = status.in_use;
  byId("improve-back").hidden = !status.in_use;
  byId("in-use").textContent = status.in_use ? text("inUse") : "";
  byId("result-learnt").textContent = text("resultLearnt", { clips, corrected: corrected ?? 0 });
  byId("result-list").replaceChildren();
  if (comparison) {
    const { detections: n, recordings, right } = comparison, facts = text("onVerdicts", { n, recordings, right });
    writeComparison(comparison, comparison.by_recording ? facts : `${facts} ${text("fewRecordings")}`);
  } else if (status.held_out || clips) byId("result-list").append(paragraph(problem));
  if (onData) writeComparison(onData, text("onData", { n: onData.clips, metric: metricName(onData.metric) }) + (corrected ? ` ${text("notCorrected")}` : ""));
}

/** Say whether the new model is better, draw both scores, and say what they were measured on. */
function writeComparison({ before, after, difference }, facts) {
  const digits = (value) => value.toFixed(3), signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
  const kind = difference.low > 0 ? "resultBetter" : difference.high < 0 ? "resultWorse" : "resultOpen";
  const words = text(kind, {
    before: digits(before.score), after: digits(after.score), difference: signed(difference.score), low: signed(difference.low), high: signed(difference.high),
  });
  const chart = intervalChart([{ name: text("before"), ...before }, { name: text("after"), ...after }]);
  byId("result-list").append(paragraph(words), ...(before.score >= 0 ? [chart] : []), paragraph(facts, "note"));
}

const metricName = (name) => name.replaceAll("_", " ");
const paragraph = (textContent, className = "") => Object.assign(document.createElement("p"), { textContent, className });
