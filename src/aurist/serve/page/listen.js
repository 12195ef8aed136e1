// The part "Listen": send recordings, choose one, filter its events.

import { address, follow, getJson, remove, showProblem, upload } from "./api.js";
import { classColour } from "./colours.js";
import { Player } from "./player.js";
import { jobElement } from "./job-list.js";
import { startRecording } from "./record.js";
import { clock, text } from "./strings.js";
import { Viewer } from "./viewer.js";

const byId = (id) => document.getElementById(id);
const MOST_ROWS = 500;
const FORMATS = ["csv", "raven", "audacity", "kaleidoscope", "jsonl", "parquet", "windows"];

let model, viewer, player, chosen = null, events = [];
const jobs = new Map(), followed = new Map();

export function startListening(described) {
  model = described;
  player = new Player((seconds) => {
    if (!player.sound.paused) viewer.reveal(seconds);
    viewer.drawPlayhead(seconds);
  });
  viewer = new Viewer((seconds) => player.playFrom(seconds));
  byId("window").value = model.window ?? 5;
  byId("window-note").hidden = model.window !== null;
  byId("precision-field").hidden = !model.multilabel;
  listenToDrops();
  listenToKeys();
  listenToTools();
  fillFilters();
  document.addEventListener("language", () => { fillFilters(); writeJobs(); writeRows(); writeHead(); });
  document.addEventListener("back", () => loadJobs());
  loadJobs();
}

async function loadJobs() {
  const listed = await getJson("/v1/detect").catch(() => null);
  if (!listed) return;
  jobs.clear();
  for (const job of listed) addJob(job);
  writeJobs();
}

function addJob(job) {
  jobs.set(job.id, job);
  if (job.state !== "waiting" && job.state !== "running") return;
  followed.get(job.id)?.();
  followed.set(job.id, follow(`/v1/detect/${job.id}/progress`, (state) => {
    if (!jobs.has(state.id)) return true;
    jobs.set(state.id, state);
    writeJobs();
    const ended = state.state === "done" || state.state === "failed";
    if (ended && chosen === null && state.state === "done") choose(state.id, 0);
    else if (ended && chosen?.job === state.id) choose(state.id, chosen.number);
    return ended;
  }));
}

function writeJobs() {
  const focused = document.activeElement?.dataset?.key;
  byId("jobs").replaceChildren(...[...jobs.values()].map((job) => jobElement(job, chosen, { choose, remove: deleteJob })));
  if (focused) byId("jobs").querySelector(`[data-key="${focused}"]`)?.focus();
}

async function deleteJob(job, name) {
  if (!confirm(text("deleteSure", { name }))) return;
  try {
    await remove(`/v1/detect/${job.id}`);
  } catch (problem) {
    if (problem.status !== 404) return showProblem(byId("drop-problem"), problem);
  }
  jobs.delete(job.id);
  if (chosen?.job === job.id) {
    chosen = null;
    player.load("", 0);
    byId("viewer").hidden = true;
    byId("nothing").hidden = false;
  }
  writeJobs();
}

function choose(id, number) {
  const job = jobs.get(id), recording = job.recordings[number];
  const again = chosen?.job === id && chosen.number === number;
  chosen = { job: id, number };
  writeJobs();
  byId("viewer").hidden = false;
  byId("nothing").hidden = true;
  writeHead();
  if (!again) {
    const path = `/v1/detect/${id}/recordings/${number}`;
    player.load(`${path}/sound.wav`, recording.seconds);
    viewer.load({ ...recording, address: path }, model.classes).catch((problem) => showProblem(byId("recording-problem"), problem));
    byId("low").value = "0";
    byId("high").value = String(recording.sample_rate / 2000);
    byId("low").max = byId("high").max = byId("high").value;
  } else viewer.fetchSpan();
  loadEvents();
}

function writeHead() {
  if (!chosen) return;
  const recording = jobs.get(chosen.job).recordings[chosen.number];
  byId("recording-name").textContent = recording.name;
  const facts = text("facts", { length: clock(recording.seconds), rate: recording.sample_rate / 1000 });
  byId("recording-facts").textContent = recording.note ? `${facts}. ${recording.note}` : facts;
}

const filters = () => ({ labels: byId("label").value, min_score: scoreChosen() ? byId("min-score").value : "", precision: byId("precision").value });
const scoreChosen = () => byId("min-score").dataset.chosen === "true";

async function loadEvents() {
  const { job, number } = chosen, state = jobs.get(job);
  showProblem(byId("recording-problem"), state.state === "failed" ? state.message : null);
  events = [];
  if (state.state === "done") {
    try {
      const answer = await getJson(address(`/v1/detect/${job}/events`, filters()));
      if (chosen?.job !== job || chosen.number !== number) return;
      events = answer.events.filter((event) => event.path === state.recordings[number].name);
      byId("downloads").replaceChildren(...FORMATS.map((form) => {
        const link = document.createElement("a");
        link.href = address(`/v1/detect/${job}/files/${form}`, filters());
        link.download = "";
        link.textContent = text("formats")[form];
        return link;
      }));
    } catch (problem) {
      showProblem(byId("recording-problem"), problem);
    }
  }
  viewer.setEvents(events);
  writeRows();
}

function writeRows() {
  byId("event-rows").replaceChildren(...events.slice(0, MOST_ROWS).map((event, number) => {
    const row = document.createElement("tr");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: clock(event.start, 1) });
    button.onclick = () => playEvent(number);
    const label = document.createElement("td");
    const mark = Object.assign(document.createElement("span"), { className: "mark" });
    mark.style.background = classColour(model.classes.indexOf(event.label), 62);
    label.append(mark, event.label);
    const cells = [button, clock(event.end, 1), label, event.score.toFixed(2)].map((content) => {
      if (content === label) return label;
      const cell = document.createElement("td");
      cell.append(content);
      return cell;
    });
    row.append(...cells);
    row.onclick = () => playEvent(number);
    return row;
  }));
  byId("events-count").textContent = text("events_n", { n: events.length });
  const over = events.length > MOST_ROWS;
  byId("no-events").hidden = !(over || (!events.length && chosen && jobs.get(chosen.job).state === "done"));
  byId("no-events").textContent = over ? text("tooMany", { n: MOST_ROWS, all: events.length }) : text("noEvents");
  byId("event-rows").closest(".table").hidden = !events.length;
  byId("min-score-words").textContent = scoreChosen() ? Number(byId("min-score").value).toFixed(2) : model.multilabel ? text("ofClass") : "0.50";
}

function playEvent(number) {
  const event = events[number];
  if (!event) return;
  viewer.choose(event);
  viewer.reveal(event.start);
  viewer.reveal(Math.min(event.end, event.start + 1));
  player.playFrom(event.start, event.end);
}

function fillFilters() {
  const select = byId("label"), value = select.value;
  select.replaceChildren(new Option(text("all"), ""), ...model.classes.map((name) => new Option(name, name)));
  select.value = value;
}

function listenToTools() {
  let timer;
  const later = () => { clearTimeout(timer); writeRows(); timer = setTimeout(() => chosen && loadEvents(), 150); };
  byId("min-score").value = "0.5";
  byId("min-score").oninput = () => { byId("min-score").dataset.chosen = "true"; byId("precision").value = ""; later(); };
  byId("precision").onchange = () => { byId("min-score").dataset.chosen = "false"; later(); };
  byId("label").onchange = later;
  byId("filters").onreset = () => setTimeout(() => { byId("min-score").dataset.chosen = "false"; byId("min-score").value = "0.5"; later(); });
  byId("filters").onsubmit = (event) => event.preventDefault();
  byId("contrast").oninput = byId("brightness").oninput = () => viewer.setColours();
  byId("low").onchange = byId("high").onchange = () => {
    const low = 1000 * Number(byId("low").value), high = 1000 * Number(byId("high").value);
    if (low >= 0 && high > low) viewer.setFrequencies(low, high);
  };
  byId("zoom-in").onclick = () => viewer.zoom(0.5, middle());
  byId("zoom-out").onclick = () => viewer.zoom(2, middle());
  byId("zoom-all").onclick = () => viewer.zoom(Infinity);
}

/** Zoom around the playhead if it is seen. */
const middle = () => (player.now >= viewer.start && player.now <= viewer.end ? player.now : undefined);

function listenToKeys() {
  // after a click the space bar plays, and does not press the same button again
  byId("listen").addEventListener("click", (event) => {
    if (event.detail && event.target.closest("#viewer button, .recording")) byId("time").focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    if (!chosen || byId("listen").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, summary")) return;
    if (event.key === " " && event.target.closest("button, a") && event.target.id !== "play") return;
    const now = player.now, step = event.shiftKey ? 10 : 1;
    const actions = {
      " ": () => player.toggle(),
      ArrowLeft: () => player.jump(now - step),
      ArrowRight: () => player.jump(now + step),
      Home: () => player.jump(0),
      End: () => player.jump(player.seconds),
      "+": () => viewer.zoom(0.5, middle()),
      "=": () => viewer.zoom(0.5, middle()),
      "-": () => viewer.zoom(2, middle()),
      n: () => playEvent(events.findIndex((one) => one.start > now + 0.01)),
      p: () => playEvent(events.findLastIndex((one) => one.start < now - 0.3)),
    };
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (!action || (event.key.startsWith("Arrow") && event.target.closest("[role=tablist]"))) return;
    event.preventDefault();
    action();
    if (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End") viewer.reveal(player.now);
  });
}

function listenToDrops() {
  const drop = byId("drop"), stage = document.body;
  byId("files").onchange = byId("folder").onchange = (event) => {
    sendFiles([...event.target.files]);
    event.target.value = "";
  };
  drop.onsubmit = (event) => event.preventDefault();
  stage.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  stage.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    sendFiles([...event.dataTransfer.files]);
  });
  let stop = null;
  byId("record").onclick = async () => {
    showProblem(byId("drop-problem"), null);
    try {
      if (stop) {
        const file = await stop();
        stop = null;
        await sendFiles([file]);
      } else stop = await startRecording();
    } catch (problem) {
      showProblem(byId("drop-problem"), problem);
    }
    byId("record").classList.toggle("recording-now", stop !== null);
    byId("record-words").dataset.text = stop ? "stop" : "record";
    byId("record-words").textContent = text(byId("record-words").dataset.text);
  };
}

async function sendFiles(files) {
  const bar = byId("upload"), problem = byId("drop-problem");
  showProblem(problem, null);
  if (!files.length || !byId("drop").reportValidity()) return;
  bar.hidden = false;
  bar.value = 0;
  try {
    const job = await upload(address("/v1/detect", { window: byId("window").value }), files, (share) => {
      if (share < 1) bar.value = share;
      else bar.removeAttribute("value"); // the server decodes
    });
    chosen = null;
    jobs.delete(job.id);
    const others = [...jobs];
    jobs.clear();
    addJob(job);
    for (const [id, other] of others) jobs.set(id, other);
    writeJobs();
  } catch (error) {
    showProblem(problem, error);
  }
  bar.hidden = true;
}
