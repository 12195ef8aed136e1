// Verdicts that the server has not stored yet. They outlive the page, and a killed server.

import { sendJson } from "./api.js";

const KEY = "unsaved verdicts";
const read = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");
let sending = null;

/** Keep a verdict, and send all that wait, in their order; the result is how many still wait. */
export function save(review, judgement) {
  localStorage.setItem(KEY, JSON.stringify([...read(), { review, judgement }]));
  return flush();
}

/** Send what waits. What the server refuses for good is dropped, and its reason is the error. */
export function flush() {
  sending ??= sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  let waiting;
  while ((waiting = read()).length) {
    const { review, judgement } = waiting[0];
    try {
      await sendJson("PUT", `/v1/review/${review}/verdicts`, judgement);
    } catch (problem) {
      if (!problem.status || problem.status >= 500 || problem.status === 429) return waiting.length;
      localStorage.setItem(KEY, JSON.stringify(read().slice(1)));
      throw problem;
    }
    localStorage.setItem(KEY, JSON.stringify(read().slice(1)));
  }
  return 0;
}
