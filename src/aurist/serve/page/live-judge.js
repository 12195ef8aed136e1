// Verdicts on events that are heard live: the keys of the part "Review", for the event that is shown.

import { showProblem } from "./api.js";
import { chooseClasses } from "./chooser.js";
import { text } from "./strings.js";
import { save } from "./unsaved.js";

const byId = (id) => document.getElementById(id);

/** Words of a verdict, for people. */
export const verdictWords = ({ verdict, labels }) => (verdict === "other" ? labels.join(", ") : { yes: text("yes"), no: text("no"), "?": text("unsure") }[verdict] ?? "");

export class LiveJudge {
  /** Which classes there are, the event that is shown, and what to do: judged(event), toggle(), pause(), go(step). */
  constructor(model, actions) {
    Object.assign(this, { classes: model.classes, actions, done: [] });
    for (const button of byId("live-verdicts").children) button.onclick = () => this.act(button.dataset.verdict);
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const shown = this.actions.shown();
    if (byId("live").hidden || !shown || event.ctrlKey || event.metaKey || event.altKey || byId("chooser").open) return;
    if (event.target.closest("select, input") || (event.target.closest("[role=tablist]") && event.key.startsWith("Arrow"))) return;
    // by the place of the key: with a Korean keyboard the letter is another one
    const button = [...byId("live-verdicts").children].find((one) => one.dataset.key === event.code);
    if (button && !byId("live-verdicts").hidden) this.act(button.dataset.verdict);
    else if (event.key === " " && !event.target.closest("button, a")) this.actions.toggle();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.actions.go(event.key === "ArrowLeft" ? -1 : 1);
    else return;
    event.preventDefault();
  }

  async act(verdict) {
    const { session, event } = this.actions.shown();
    if (verdict === "undo") return this.undo();
    let labels = [], word = verdict;
    if (verdict === "another" || verdict === "several") {
      this.actions.pause();
      labels = await chooseClasses(this.classes, verdict === "several");
      if (!labels.length) return;
      word = "other";
    }
    this.done.push({ session, event });
    this.store(session, event, word, labels);
  }

  undo() {
    const last = this.done.pop();
    if (last) this.store(last.session, last.event, "", []);
  }

  async store(session, event, verdict, labels) {
    Object.assign(event, { verdict, labels });
    this.actions.judged(event);
    try {
      const waiting = await save(session, { key: event.key, verdict, labels });
      byId("live-saved").textContent = waiting ? text("notSaved", { n: waiting }) : verdict ? text("savedWords", { verdict: verdictWords(event) }) : text("tookBack");
      byId("live-saved").classList.toggle("alert", waiting > 0);
    } catch (problem) {
      showProblem(byId("live-problem"), problem);
    }
  }

  /** Show the verdict on the event at its buttons. */
  write(event) {
    const chosen = event.verdict === "other" ? (event.labels.length > 1 ? "several" : "another") : event.verdict;
    for (const button of byId("live-verdicts").children) {
      const pressed = button.dataset.verdict === chosen;
      button.classList.toggle("chosen", pressed);
      if (button.dataset.verdict !== "undo") button.setAttribute("aria-pressed", pressed);
    }
  }
}
