// A dialog that takes one class, or several, by typing.

import { text } from "./strings.js";

const byId = (id) => document.getElementById(id);

/** Let a person choose classes; the result is a list, empty if the dialog was closed. */
export function chooseClasses(classes, several) {
  const dialog = byId("chooser"), search = byId("chooser-search"), list = byId("chooser-list");
  const taken = new Set();
  let shown = [], at = 0;

  const write = () => {
    const typed = search.value.trim(), lower = typed.toLowerCase();
    shown = classes.filter((name) => name.toLowerCase().includes(lower));
    if (typed && !classes.includes(typed)) shown.push(typed);
    at = Math.max(0, Math.min(at, shown.length - 1));
    list.setAttribute("aria-multiselectable", several);
    list.replaceChildren(...shown.map((name, row) => {
      const option = document.createElement("div");
      option.role = "option";
      option.id = `choice-${row}`;
      option.className = row === at ? "current" : "";
      option.setAttribute("aria-selected", several ? taken.has(name) : row === at);
      option.textContent = `${several ? (taken.has(name) ? "☑ " : "☐ ") : ""}${classes.includes(name) ? name : text("newClass", { name })}`;
      option.onclick = () => { at = row; choose(); };
      return option;
    }));
    search.setAttribute("aria-activedescendant", shown.length ? `choice-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };

  const choose = () => {
    const name = shown[at];
    if (!name) return;
    if (!several) {
      taken.add(name);
      return dialog.close("take");
    }
    if (!taken.delete(name)) taken.add(name);
    search.value = "";
    at = classes.indexOf(name);
    write();
  };

  search.value = "";
  search.setAttribute("role", "combobox");
  search.setAttribute("aria-controls", "chooser-list");
  search.setAttribute("aria-expanded", "true");
  byId("chooser-name").textContent = text(several ? "chooseSeveral" : "chooseOne");
  byId("chooser-take").hidden = !several;
  write();
  search.oninput = () => { at = 0; write(); };
  search.onkeydown = (event) => {
    if (event.isComposing) return; // a syllable of Korean is not finished
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) at += step;
    else if (event.key === "Enter" && (several ? search.value.trim() || !taken.size : true)) choose();
    else return;
    event.preventDefault();
    if (dialog.open) write();
  };
  byId("chooser-cancel").onclick = () => dialog.close("");
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "take" || dialog.returnValue === "" && !several && taken.size ? [...taken] : []);
    dialog.returnValue = "";
    byId("chooser-take").value = "take";
    dialog.showModal();
    search.focus();
  });
}
