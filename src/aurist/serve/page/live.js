// The part "Live": follow a microphone or a stream, see the latest events, hear them.

import { address, getJson, getResponse, remove, sendBytes, sendJson, showProblem } from "./api.js";
import { ClipView } from "./clip.js";
import { colourTable, levels } from "./colours.js";
import { drawFrequencies } from "./drawing.js";
import { LiveJudge, verdictWords } from "./live-judge.js";
import { openMicrophone, samplesOf } from "./record.js";
import { clock, currentLanguage, text } from "./strings.js";

const byId = (id) => document.getElementById(id);
const EACH = 1000, SENT_EVERY = 500, LISTED = 100, COLUMNS = 480, ROWS = 96;

let model, view, judge, sessions = [], opened = null, events = [], timer = null, microphone = null, playing = null;

export function startLive(described) {
  model = described;
  view = new ClipView("live-clip", "live-clip-head", "live-sound");
  judge = new LiveJudge(model, {
    shown: () => playing && { session: opened, event: playing },
    judged: () => { writeRows(); write(); },
    toggle: () => view.toggle(), pause: () => view.pause(), go: (step) => go(step),
  });
  byId("live-label").onchange = () => writeRows();
  byId("live-review").onclick = () => document.dispatchEvent(new CustomEvent("judge", { detail: opened }));
  fillClasses();
  byId("live-window").value = model.window ?? 5;
  byId("live-form").onsubmit = (event) => { event.preventDefault(); start(); };
  byId("live-source").onchange = () => writeForm();
  byId("live-stop").onclick = () => stop();
  document.addEventListener("tab", (event) => {
    clearTimeout(timer);
    if (event.detail === "live") load();
    else view.stop();
  });
  document.addEventListener("language", () => { fillClasses(); writeSources(); write(); writeRows(); });
}

function fillClasses() {
  const chosen = byId("live-label").value;
  byId("live-label").replaceChildren(new Option(text("all"), ""), ...model.classes.map((name) => new Option(name, name)));
  byId("live-label").value = chosen;
}

async function load() {
  try {
    const answer = await getJson("/v1/live");
    sessions = answer.sessions;
    writeSources(answer);
    opened ??= sessions.find((one) => one.state === "running")?.id ?? null;
    write();
    if (opened) follow();
  } catch (problem) {
    showProblem(byId("live-problem"), problem);
  }
}

let allowed = { sources: [], any_stream: false };

function writeSources(answer = allowed) {
  allowed = answer;
  const chosen = byId("live-source").value;
  const options = [["browser", text("ownMicrophone")], ...allowed.sources.map((name) => [name, name])];
  if (allowed.any_stream) options.push(["mic", text("serverMicrophone")], ["other", text("otherStream")]);
  byId("live-source").replaceChildren(...options.map(([value, words]) => new Option(words, value)));
  if (options.some(([value]) => value === chosen)) byId("live-source").value = chosen;
  writeForm();
}

function writeForm() {
  byId("live-url-field").hidden = byId("live-source").value !== "other";
  byId("live-url").required = byId("live-source").value === "other";
}

async function start() {
  showProblem(byId("live-problem"), null);
  const chosen = byId("live-source").value, source = chosen === "other" ? byId("live-url").value.trim() : chosen;
  const score = byId("live-score").value;
  const wanted = { source, window: Number(byId("live-window").value), min_score: score === "" ? null : Number(score) };
  const pieces = [];
  try {
    if (microphone) await stopMicrophone();
    if (source === "browser") microphone = await openMicrophone((piece) => pieces.push(piece));
    const session = await sendJson("POST", "/v1/live", wanted);
    if (microphone) send(session.id, pieces, microphone);
    open(session.id);
  } catch (problem) {
    await stopMicrophone();
    showProblem(byId("live-problem"), problem);
  }
}

/** Send what the microphone gave, piece after piece, until it is closed. */
async function send(id, pieces, own) {
  while (microphone === own) {
    await new Promise((done) => setTimeout(done, SENT_EVERY));
    const sound = pieces.splice(0, Math.ceil((5 * own.rate) / 128)); // after a pause of the server, part by part
    if (!sound.length || microphone !== own) continue;
    try {
      await sendBytes(address(`/v1/live/${id}/sound`, { rate: own.rate }), samplesOf(sound));
      showProblem(byId("live-problem"), null);
    } catch (problem) {
      showProblem(byId("live-problem"), problem);
      if (problem.status === 409 || problem.status === 404) return stopMicrophone();
      if (problem.status !== 429) pieces.unshift(...sound);
    }
  }
}

async function stopMicrophone() {
  const own = microphone;
  microphone = null;
  await own?.close();
}

async function stop() {
  try {
    await stopMicrophone();
    await sendJson("POST", `/v1/live/${opened}/stop`, {});
    await load();
  } catch (problem) {
    showProblem(byId("live-problem"), problem);
  }
}

function open(id) {
  clearTimeout(timer);
  [opened, events, playing] = [id, [], null];
  writeRows();
  load();
}

/** Fetch what is new, and again after a second while the source is followed. */
async function follow() {
  clearTimeout(timer);
  const id = opened;
  try {
    const after = events.at(-1)?.number ?? 0;
    const { state, events: news } = await getJson(address(`/v1/live/${id}`, { after }));
    if (id !== opened || byId("live").hidden) return;
    events.push(...news);
    sessions = sessions.map((one) => (one.id === id ? state : one));
    if (state.state === "running") drawNow(id);
    write();
    if (news.length) writeRows();
    if (state.state === "running") timer = setTimeout(follow, EACH);
  } catch (problem) {
    if (problem.status === 404) { opened = null; return load(); }
    timer = setTimeout(follow, 3 * EACH); // the server is away; the page says so
  }
}

/** The latest events of the chosen class, the newest first. */
const listed = () => events.filter(({ label }) => [label, ""].includes(byId("live-label").value)).slice(-LISTED).reverse();

function writeRows() {
  const focused = document.activeElement?.dataset?.number;
  byId("live-rows").replaceChildren(...listed().map(rowOf));
  if (focused) byId("live-rows").querySelector(`[data-number="${focused}"]`)?.focus();
  byId("live-none").hidden = byId("live-rows").rows.length > 0;
  byId("live-none").textContent = text(events.length ? "liveNoneOfClass" : "liveNone");
}

function rowOf(event) {
  const row = document.createElement("tr");
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: timeOf(event.clock) });
  button.setAttribute("aria-label", text("hearEvent", { label: event.label, at: timeOf(event.clock) }));
  button.dataset.number = event.number;
  row.insertCell().append(button);
  for (const words of [event.label, event.score.toFixed(2), (event.end - event.start).toFixed(1), verdictWords(event)]) row.insertCell().textContent = words;
  row.classList.toggle("chosen", event === playing);
  row.onclick = () => play(event);
  return row;
}

/** Hear the next newer or older event of the list. */
function go(step) {
  const rows = listed(), next = rows[rows.indexOf(playing) - step];
  if (next) play(next);
}

async function play(event) {
  playing = event;
  byId("live-saved").textContent = "";
  write();
  writeRows();
  // with the sound around it, as in Review, if it can be judged
  const { key, number, lead, start, end } = event;
  const shown = canJudge() ? { address: `/v1/review/${opened}`, key, start: lead, end: lead + end - start } : { address: `/v1/live/${opened}`, key: number };
  await view.show(shown, true).catch((problem) => showProblem(byId("live-problem"), problem));
}

const canJudge = () => sessions.find((one) => one.id === opened)?.can_judge ?? false;

function write() {
  const state = sessions.find((one) => one.id === opened);
  byId("live-view").hidden = !state;
  byId("live-nothing").hidden = Boolean(state);
  const running = state?.state === "running";
  byId("live-stop").hidden = !running;
  byId("live-now").hidden = !running;
  byId("live-card").hidden = !playing;
  if (playing) byId("live-question").textContent = text("liveEvent", { label: playing.label, at: timeOf(playing.clock), score: playing.score.toFixed(2) });
  if (playing) judge.write(playing);
  byId("live-verdicts").hidden = byId("live-review").hidden = !canJudge();
  writeSessions();
  if (!state) return;
  byId("live-name").textContent = nameOf(state);
  const facts = { seconds: clock(state.seconds), n: state.count, level: state.level === null ? "–" : `${Math.round(state.level)} dB` };
  byId("live-state").textContent = running ? (state.level === null ? text("liveOpening") : text("liveRunning", facts)) : text("liveStopped", facts);
  showProblem(byId("live-failed"), state.state === "failed" || (!running && state.message) ? state.message : null);
  byId("live-review").hidden ||= !state.count;
  byId("live-csv").href = `/v1/live/${state.id}/events.csv`;
  byId("live-jsonl").href = `/v1/live/${state.id}/events.jsonl`;
}

function writeSessions() {
  byId("live-sessions").replaceChildren(...sessions.map((one) => {
    const item = document.createElement("li"), choose = document.createElement("button"), bin = document.createElement("button");
    choose.className = "recording";
    choose.type = bin.type = "button";
    choose.setAttribute("aria-current", one.id === opened);
    choose.append(Object.assign(document.createElement("span"), { className: "name", textContent: nameOf(one) }),
      Object.assign(document.createElement("span"), { className: "length", textContent: one.state === "running" ? text("liveNow") : `${one.count}` }));
    choose.onclick = () => open(one.id);
    bin.className = "bin";
    bin.textContent = "×";
    bin.setAttribute("aria-label", text("deleteJob", { name: nameOf(one) }));
    bin.onclick = () => deleteSession(one);
    item.className = "row session";
    item.append(choose, bin);
    return item;
  }));
}

async function deleteSession(one) {
  if (!confirm(text("deleteSure", { name: nameOf(one) }))) return;
  try {
    if (one.id === opened) { await stopMicrophone(); opened = null; view.stop(); playing = null; }
    await remove(`/v1/live/${one.id}`);
    await load();
  } catch (problem) {
    showProblem(byId("live-problem"), problem);
  }
}

const timeOf = (moment) => new Date(moment).toLocaleTimeString(currentLanguage());
const nameOf = ({ source, began }) => `${source === "browser" ? text("microphone") : source}, ${new Date(began).toLocaleString(currentLanguage(), { dateStyle: "short", timeStyle: "short" })}`;

async function drawNow(id) {
  const answer = await getResponse(address(`/v1/live/${id}/now`, { columns: COLUMNS, rows: ROWS })).catch(() => null);
  if (!answer || answer.status === 204 || id !== opened) return;
  const bytes = new Uint8Array(await answer.arrayBuffer()), counts = new Uint32Array(256);
  for (const value of bytes) counts[value]++;
  const { floor, ceiling } = levels(counts), table = colourTable(floor, ceiling);
  const tile = Object.assign(document.createElement("canvas"), { width: COLUMNS, height: ROWS });
  const image = tile.getContext("2d").createImageData(COLUMNS, ROWS), cells = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length; i++) cells[i] = table[bytes[i]];
  tile.getContext("2d").putImageData(image, 0, 0);
  const canvas = byId("live-picture"), scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = 130;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.drawImage(tile, 0, 0, width, height);
  drawFrequencies(context, height, 0, Number(answer.headers.get("X-High")));
}
