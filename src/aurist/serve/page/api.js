// Requests to the server. Every error is a sentence for people.

import { text } from "./strings.js";

export class Problem extends Error {
  constructor(message, status = 0, code = "unreachable") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function check(response) {
  if (response.ok) return response;
  if (response.status === 401) location.assign("/login");
  const body = await response.json().catch(() => null);
  throw new Problem(body?.error?.message ?? `${response.status} ${response.statusText}`, response.status, body?.error?.code);
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    document.dispatchEvent(new Event("lost"));
    throw new Problem(text("lost"));
  }
  document.dispatchEvent(new Event("reached"));
  return check(response);
}

const readJson = (response) => (response.status === 204 ? null : response.json());
export const getJson = async (path, options) => (await send(path, options)).json();
export const getBytes = async (path, options) => new Uint8Array(await (await send(path, options)).arrayBuffer());
export const remove = (path) => send(path, { method: "DELETE" });
export const sendJson = async (method, path, body) =>
  readJson(await send(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
export const sendBytes = (path, body) => send(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body });
export const getResponse = (path, options) => send(path, options);

/** Write an address with its parameters; empty ones are left out, and lists are repeated. */
export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined && one !== "") query.append(name, one);
  return `${path}?${query}`;
}

/** Send files as a form, and report how much of it is sent. */
export function upload(path, files, report) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.upload.onprogress = (event) => event.lengthComputable && report(event.loaded / event.total);
    request.onload = () => {
      const headers = { "Content-Type": "application/json" };
      check(new Response(request.responseText || "null", { status: request.status, headers })).then((response) => resolve(response.json()), reject);
    };
    request.onerror = () => {
      document.dispatchEvent(new Event("lost"));
      reject(new Problem(text("lost")));
    };
    request.send(form);
  });
}

/** Follow server-sent events until one is the last; the browser connects again by itself if the server was restarted. */
export function follow(path, handle) {
  const source = new EventSource(path);
  source.onmessage = (event) => handle(JSON.parse(event.data)) && source.close();
  return () => source.close();
}

/** Show a problem in an element beside which it arose; null hides it. */
export function showProblem(element, problem) {
  element.hidden = problem === null;
  element.textContent = problem === null ? "" : problem.message ?? String(problem);
}
