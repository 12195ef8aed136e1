// The frame of the page: tabs, theme, language, and whether the server lives.

import { getJson } from "./api.js";
import { startCheck } from "./check.js";
import { startData } from "./data.js";
import { startImproving } from "./improve.js";
import { startLive } from "./live.js";
import { startListening } from "./listen.js";
import { startReview } from "./review.js";
import { otherLanguage, switchLanguage, text, writeTexts } from "./strings.js";

const byId = (id) => document.getElementById(id);
const TABS = [...document.querySelectorAll("[role=tab]")];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  document.dispatchEvent(new Event("theme"));
}

function openTab(tab, focus) {
  for (const other of TABS) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
  document.dispatchEvent(new CustomEvent("tab", { detail: tab.getAttribute("aria-controls") }));
}

function writeModel(model) {
  const digits = (value) => value.toFixed(3);
  const { metric, value, low, high } = model.score;
  const interval = low === null ? "" : `[${digits(low)}, ${digits(high)}]`;
  byId("model").textContent = text("model", { name: model.name, metric: metric.replaceAll("_", " "), score: digits(value), interval, n: model.classes.length });
}

function writeLanguage() {
  const { lang, words } = otherLanguage();
  byId("language").lang = lang;
  byId("language").textContent = words;
}

/** Try again every few seconds while the server is away. */
function watchServer() {
  let timer = null;
  document.addEventListener("lost", () => {
    byId("lost").hidden = false;
    byId("lost").textContent = text("lost");
    timer ??= setInterval(() => getJson("/health").catch(() => null), 3000);
  });
  document.addEventListener("reached", () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    byId("lost").hidden = true;
    document.dispatchEvent(new Event("back"));
  });
}

async function start() {
  const stored = localStorage.getItem("theme");
  if (stored) setTheme(stored);
  writeTexts();
  writeLanguage();
  watchServer();
  byId("language").onclick = () => switchLanguage();
  byId("theme").onclick = () => setTheme(getComputedStyle(document.documentElement).getPropertyValue("--is-dark").trim() === "1" ? "light" : "dark");
  TABS.forEach((tab, number) => {
    tab.onclick = (event) => {
      openTab(tab);
      // a mouse: the space bar plays, and does not press the tab again
      if (event.detail) byId(tab.getAttribute("aria-controls")).focus({ preventScroll: true });
    };
    tab.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) openTab(TABS[(number + step + TABS.length) % TABS.length], true);
    };
  });
  let model;
  while (!model) {
    model = await getJson("/v1/model").catch(() => new Promise((done) => setTimeout(done, 2000)));
  }
  writeModel(model);
  document.addEventListener("language", () => { writeLanguage(); writeModel(model); });
  document.addEventListener("model", async () => {
    model = await getJson("/v1/model");
    writeModel(model);
  });
  startListening(model);
  startReview(model);
  startData(model);
  startCheck();
  startLive(model);
  startImproving();
  const openHash = () => openTab(TABS.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash) ?? TABS[0]);
  addEventListener("hashchange", openHash);
  openHash();
  document.documentElement.dataset.ready = "true";
}

start();
