// The list of jobs.

import { clock, text } from "./strings.js";

/** Make the element of a job, with its state, its recordings, and a button that deletes it. */
export function jobElement(job, chosen, actions) {
  const item = document.createElement("li");
  const first = job.recordings[0]?.name ?? "";
  const name = job.recordings.length > 1 ? text("more", { name: first, n: job.recordings.length - 1 }) : first;
  const state = document.createElement("span");
  state.className = `state ${job.state}`;
  state.textContent = text(job.state, { percent: Math.floor((100 * job.seconds_done) / Math.max(job.seconds, 0.001)) });
  const bin = Object.assign(document.createElement("button"), { type: "button", className: "bin", textContent: "×" });
  bin.setAttribute("aria-label", text("deleteJob", { name }));
  bin.title = text("deleteJob", { name });
  bin.dataset.key = `bin ${job.id}`;
  bin.onclick = () => actions.remove(job, name);
  const head = document.createElement("div");
  head.className = "job-head";
  head.append(state, bin);
  const list = document.createElement("ul");
  job.recordings.forEach((recording, number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "recording" });
    const length = Object.assign(document.createElement("span"), { className: "length", textContent: clock(recording.seconds) });
    button.append(Object.assign(document.createElement("span"), { className: "name", textContent: recording.name }), length);
    button.setAttribute("aria-current", chosen?.job === job.id && chosen.number === number);
    button.dataset.key = `${job.id} ${number}`;
    button.onclick = () => actions.choose(job.id, number);
    const row = document.createElement("li");
    row.append(button);
    list.append(row);
  });
  item.append(head, list);
  if (job.message) item.append(Object.assign(document.createElement("p"), { className: "alert", textContent: job.message }));
  return item;
}
