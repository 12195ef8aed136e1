// The part "Improve": learn from the verdicts, read an honest before and after, use the new model.

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
    ? text("improveCounts", { learn: status.learn, held: status.held_out, random: status.held_out_random }) : reason;
  byId("improve-start").disabled = running || !status.learn;
  byId("improve-cancel").hidden = !running;
  byId("improve-running").hidden = !running;
  byId("improve-progress").value = status.progress;
  byId("improve-models").textContent = status.models.length ? text("fittedModels", { names: status.models.join(", ") }) : text("nothingFitted");
  if (state === "failed") showProblem(byId("improve-problem"), status.message);
  byId("improve-result").hidden = !result;
  if (result) writeResult(result);
}

function writeResult({ clips, comparison, problem }) {
  byId("improve-use").hidden = status.in_use;
  byId("improve-back").hidden = !status.in_use;
  byId("in-use").textContent = status.in_use ? text("inUse") : "";
  byId("result-chart").replaceChildren();
  if (!comparison) {
    byId("result-words").textContent = problem;
    byId("result-caution").textContent = "";
    return;
  }
  const { before, after, difference, detections, recordings, right } = comparison;
  const digits = (value) => value.toFixed(3), signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
  const kind = difference.low > 0 ? "resultBetter" : difference.high < 0 ? "resultWorse" : "resultOpen";
  byId("result-words").textContent = text(kind, {
    before: digits(before.score), after: digits(after.score), difference: signed(difference.score), low: signed(difference.low), high: signed(difference.high),
  });
  byId("result-chart").append(intervalChart([{ name: text("before"), ...before }, { name: text("after"), ...after }]));
  const facts = text("resultFacts", { n: detections, recordings, right, clips });
  byId("result-caution").textContent = comparison.by_recording ? facts : `${facts} ${text("fewRecordings")}`;
}
